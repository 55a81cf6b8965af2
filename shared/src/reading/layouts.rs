//! Layouts: JSON, tables and letters are written out as lines of `label = value`, so that they are read like any card.
//!
//! Entry point: [`written_out`]. Invariants: works on tokens, so every value keeps its place in the post; a number is never
//! changed, at most cut at the commas of a list; what is neither JSON nor a table stays as it is; linear.

mod glued;
mod json;
mod letters;
mod table;

use super::tokens::{Hints, Kind, Number, Token};
use super::words::{Lexicon, Understood};

/// The tokens of a text as lines of labels and values; none where that changes nothing.
pub(super) fn written_out<'t>(
    list: &[Token<'t>],
    words: Lexicon<'_>,
    (understood, hints): (&Understood, Hints),
    plain: &'t str,
) -> Option<Vec<Token<'t>>> {
    let json = if hints.brace { json::written_out(list, words) } else { None };
    let table = || if understood.labelled { table::written_out(list, &understood.phrases) } else { None };
    json.or_else(table)
        .or_else(|| if hints.letter { letters::written_out(list) } else { None })
        .or_else(|| if hints.numbered { glued::written_out(list, plain, words) } else { None })
}

/// A mark that the layout implies.
fn implied<'t>(mark: char, at: usize, line: usize) -> Token<'t> {
    Token { kind: Kind::Mark(mark), raw: "", at, line, glued: true }
}

/// A number that was written as a list without spaces, as its numbers with commas between them.
fn apart<'t>(token: &Token<'t>) -> Vec<Token<'t>> {
    let Kind::Number(number) = token.kind else { return vec![token.clone()] };
    if !number.text.contains(',') {
        return vec![token.clone()];
    }
    let mut cut = Vec::new();
    let mut at = number.at;
    for text in number.text.split(',') {
        if !cut.is_empty() {
            cut.push(Token { kind: Kind::Mark(','), raw: ",", at: at - 1, line: token.line, glued: true });
        }
        let kind = Kind::Number(Number { text, at, unit: number.unit });
        cut.push(Token { kind, raw: text, at, line: token.line, glued: true });
        at += text.len() + 1;
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::super::clean::clean;
    use super::super::evidence::Part;
    use super::super::source::Source;
    use super::super::tokens::tokens;
    use super::super::words::Words;
    use super::*;

    /// The text as it is read: a line for each line, without spaces inside.
    fn lines(text: &str) -> Vec<String> {
        let words = Lexicon { general: Words::built_in().unwrap(), own: None };
        let cleaned = clean(&Source::of_text(Part::Content, text), words);
        let tokens = tokens(&cleaned.own, words);
        assert!(tokens.is_sorted_by_key(|token| token.at), "places ascend: {text}");
        let shown = |token: &Token<'_>| match token.kind {
            Kind::Mark(mark) => mark.to_string(),
            Kind::Number(number) if number.unit == super::super::tokens::Unit::Percent => {
                format!("{}%", number.text)
            }
            Kind::Word(word) => word.to_owned(),
            _ => token.raw.to_owned(),
        };
        let lines = tokens.chunk_by(|a, b| a.line == b.line);
        lines.map(|line| line.iter().map(shown).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn json_becomes_lines_of_labels_and_values() {
        assert_eq!(
            lines(r#"{"ticker":"BYBIT:OPUSDT.P","action":"buy","price":0.7431,"tp":[0.7580,0.7745]}"#),
            ["ticker = bybit : opusdt . p", "action = buy", "price = 0.7431", "tp = 0.7580 / 0.7745"]
        );
        assert_eq!(
            lines(
                "New alert\n```json\n{\"entry\": {\"from\": \"5.84\", \"to\": \"5.96\"},\n \"coin\": \"INJ\", \"quote\": \"USDT\"}\n```\nbe quick"
            ),
            ["new alert", "json", "entry = 5.84 - 5.96", "coin = inj / usdt", "be quick"]
        );
        assert_eq!(
            lines(r#"{"targets":[{"price":1.2,"percent":60},{"price":1.3,"percent":40}],"stop_loss":1.1}"#),
            ["targets = 1.2 ( 60% ) / 1.3 ( 40% )", "stop _ loss = 1.1"]
        );
        assert_eq!(
            lines(r#"{"symbol":"NEAR","entry_low":2.20,"entryHigh":2.22,"bar":{"high":2.3}}"#),
            ["symbol = near", "entry = 2.20 - 2.22"]
        );
        assert_eq!(
            lines("{'take_profit_1': 1.2, 'take_profit_2': 1.3}"),
            ["take _ profit = 1.2", "take _ profit = 1.3"]
        );
    }

    #[test]
    fn a_list_of_objects_has_a_line_for_each() {
        assert_eq!(
            lines(r#"[{"symbol":"A","side":"buy","sl":1},{"symbol":"B","side":"sell","sl":2}]"#),
            ["symbol = a ; side = buy ; sl = 1", "symbol = b ; side = sell ; sl = 2"]
        );
    }

    #[test]
    fn each_row_of_a_table_becomes_a_line() {
        assert_eq!(
            lines(
                "| Pair | Side | Entry | Stop Loss | TP1 |\n|---|:---:|---|---|---|\n| KAVA | long | 0.1584 | 0.1531 | 0.1642 |"
            ),
            ["pair = kava ; side = long ; entry = 0.1584 ; stop loss = 0.1531 ; tp1 = 0.1642"]
        );
        assert_eq!(
            lines(
                "today\n# COIN SIDE   ENTRY        SL    TP\n1 ZEN  SHORT  14.20 - 14.3 14.85 13.10\n2 QTUM LONG   1.98"
            ),
            ["today", "coin side entry sl tp", "1 zen short 14.20 - 14.3 14.85 13.10", "2 qtum long 1.98"],
            "cells that cannot be told apart are left alone"
        );
        assert_eq!(
            lines("coin,side,entry,stop,target\nZEN,short,14.20,14.85,13.10"),
            ["coin = zen ; side = short ; entry = 14.20 ; stop = 14.85 ; target = 13.10"]
        );
    }

    #[test]
    fn a_list_number_is_cut_from_its_price_where_it_is_the_next() {
        assert_eq!(
            lines("TP10.5101 TP2 0.5222 TP30.5391 SL0.48"),
            ["tp1 0.5101 tp2 0.5222 tp3 0.5391 sl 0.48"]
        );
        assert_eq!(lines("target13250 target23310"), ["tp1 3250 tp2 3310"]);
        for text in ["tp30.5391", "tp100", "api3.5", "1000pepe", "tp12 0.5"] {
            assert_eq!(lines(text).join("").replace(' ', ""), text.replace(' ', ""), "{text}");
        }
    }

    #[test]
    fn what_has_no_layout_stays() {
        for text in ["Entry: 0.5", "a {b} c", "long {{ticker}} now", "pair | side | entry", "{ }", "{\"a\""] {
            let plain = lines(text).join("").replace(' ', "");
            assert_eq!(plain, text.replace(' ', "").to_lowercase(), "{text}");
        }
    }

    #[test]
    fn single_letters_before_numbers_are_labels() {
        assert_eq!(
            lines("BTC L e 91350 s 90280 t 92600,93900 l 5 r 1%"),
            ["btc long entry 91350 stop 90280 target 92600,93900 leverage 5 risk 1%"]
        );
        assert_eq!(lines("IMX s e.2512 sl.2588 t.2440"), ["imx short entry .2512 sl .2588 target .2440"]);
        assert_eq!(
            lines("long OP: E=0.3105 T1=0.322 T2=0.338 S=0.298 L=x4"),
            ["long op : entry = 0.3105 tp1 = 0.322 tp2 = 0.338 stop = 0.298 leverage = x4"]
        );
        for text in ["e 5 of them", "plan b 3 s 4", "s 3 t 4", "e = 2.718"] {
            assert_eq!(lines(text), [text], "{text}");
        }
    }
}
