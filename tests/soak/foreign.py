"""A client of others' making (discord.py) on the fake Discord: prints what it is told, one JSON object a line.

Usage: foreign.py API GATEWAY TOKEN. A line `history CHANNEL` on standard input has it read that channel's history and its
archived threads over REST; the end of standard input ends it.
"""

import asyncio
import json
import sys

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

API, GATEWAY, TOKEN = sys.argv[1:4]
Route.BASE = API
DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(GATEWAY)


def say(kind, **fields):
    print(json.dumps({"kind": kind, **fields}), flush=True)


class Listener(discord.Client):
    async def on_ready(self):
        info = await self.application_info()
        say("ready", user=str(self.user.id), application=str(info.id), guilds=len(self.guilds))

    async def on_resumed(self):
        say("resumed")

    async def on_message(self, message):
        text = message.content
        if message.poll:
            text = message.poll.question
        elif message.stickers:
            text = message.stickers[0].name
        elif message.message_snapshots:
            text = message.message_snapshots[0].content
        elif message.embeds:
            text = message.embeds[0].title
        say("create", id=str(message.id), text=text, channel=str(message.channel.id))

    async def on_raw_message_edit(self, payload):
        edited = payload.message.edited_at is not None
        say("edit" if edited else "touch", id=str(payload.message_id), text=payload.message.content)

    async def on_raw_message_delete(self, payload):
        say("delete", id=str(payload.message_id))

    async def on_raw_bulk_message_delete(self, payload):
        for message in sorted(payload.message_ids):
            say("delete", id=str(message))

    async def on_thread_create(self, thread):
        say("thread", id=str(thread.id), text=thread.name, channel=str(thread.parent_id))


async def read(client, channel):
    channel = await client.fetch_channel(int(channel))
    texts = [message.content async for message in channel.history(limit=None, oldest_first=True)]
    threads = [str(thread.id) async for thread in channel.archived_threads(limit=None)]
    say("history", texts=texts, archived=threads)


async def main():
    intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
    async with Listener(intents=intents) as client:
        listening = asyncio.create_task(client.start(TOKEN))
        while line := await asyncio.to_thread(sys.stdin.readline):
            command, _, channel = line.strip().partition(" ")
            if command == "history":
                await read(client, channel)
        await client.close()
        await listening


asyncio.run(main())
