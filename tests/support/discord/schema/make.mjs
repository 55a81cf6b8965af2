// Makes discord.json: the part of Discord's OpenAPI description that the fake's answers are checked against, as JSON Schema.
// The npm package discord-api-spec (MIT) carries the description's 539 schemas as zod; zod writes them as JSON Schema.
//   npm install discord-api-spec@10.0.266135 zod@4.6.7 && node make.mjs
import fs from "node:fs";
import * as spec from "discord-api-spec/zod";
import * as z from "zod";

const wanted = [
  "MessageResponse", "ThreadResponse", "GuildChannelResponse", "UserPIIResponse", "MyGuildResponse", "GatewayBotResponse",
  "GatewayResponse", "PrivateApplicationResponse", "ErrorResponse", "ThreadsResponse", "RatelimitedResponse",
];

const registry = z.registry();
for (const [name, schema] of Object.entries(spec)) {
  if (name.endsWith("Schema") && schema?._zod) registry.add(schema, { id: name.slice(0, -"Schema".length) });
}
const all = z.toJSONSchema(registry, { unrepresentable: "any", uri: (id) => `#/$defs/${id}` }).schemas;

const $defs = {};
function take(name) {
  if ($defs[name] || !all[name]) return;
  const { $schema, $id, id, ...schema } = all[name];
  $defs[name] = schema;
  for (const [, other] of JSON.stringify(schema).matchAll(/"#\/\$defs\/(\w+)"/g)) take(other);
}
wanted.forEach(take);

// Inside allOf a schema must not refuse the fields of its neighbours.
function open(node, isOpen) {
  if (node === null || typeof node !== "object") return;
  if (isOpen) delete node.additionalProperties;
  for (const [key, below] of Object.entries(node)) open(below, isOpen || key === "allOf");
}
open($defs, false);
delete $defs.Error.additionalProperties;

// Where zod, or the description, is narrower than Discord itself:
// times are written with an offset (+00:00), which zod's pattern does not allow; the format date-time does;
function loosen(node) {
  if (node === null || typeof node !== "object") return;
  if (node.format === "date-time") delete node.pattern;
  Object.values(node).forEach(loosen);
}
loosen($defs);
// a forward refers with type 1 (reference, "Message Reference Types"); the errors of a field have codes in words ("Error Messages").
$defs.MessageReferenceType = { type: "number", enum: [0, 1] };
const code = { type: ["string", "number"] };
$defs.InnerErrors.properties._errors.items = { ...$defs.Error, properties: { ...$defs.Error.properties, code } };

const lines = Object.entries($defs).map(([name, schema]) => `${JSON.stringify(name)}:${JSON.stringify(schema)}`);
const comment =
  "Excerpt of Discord's OpenAPI description of API version 10, by way of the npm package discord-api-spec 10.0.266135; MIT, see LICENSE beside this file. Made by make.mjs.";
fs.writeFileSync("discord.json", `{"$comment":${JSON.stringify(comment)},"$defs":{\n${lines.join(",\n")}\n}}\n`);
