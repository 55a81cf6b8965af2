//! What must hold for every accepted post of the corpus when it is changed: the same signal, or none; never another one.
//!
//! Each change is made at many places, chosen by a fixed seed, so that a failure can be repeated.

use shared::post::Post;
use shared::reading::{ChannelProfile, Evidence, Field, Part, Reading, read};

use crate::material::{Call, Dice, calls};

fn read_post(post: &Post) -> Reading {
    read(post, &ChannelProfile::default())
}

/// The texts of a post that may be changed.
fn texts(post: &mut Post) -> Vec<&mut String> {
    let mut texts = vec![&mut post.content];
    for embed in &mut post.embeds {
        texts.extend([&mut embed.author, &mut embed.title, &mut embed.description].into_iter().flatten());
        texts.extend(embed.fields.iter_mut().flat_map(|field| [&mut field.name, &mut field.value]));
    }
    texts
}

/// The same post with every text changed character by character.
fn changed(post: &Post, mut change: impl FnMut(char) -> String) -> Post {
    let mut post = post.clone();
    for text in texts(&mut post) {
        *text = text.chars().map(&mut change).collect();
    }
    post
}

fn text_of(post: &mut Post, part: Part) -> &mut String {
    assert_eq!(part, Part::Content, "only changes of the content are asked for");
    &mut post.content
}

/// Replaces stretches of the content, the last one first, so that the others keep their places.
fn replaced(post: &Post, mut stretches: Vec<(Evidence, String)>) -> Post {
    let mut post = post.clone();
    stretches.sort_by_key(|(evidence, _)| std::cmp::Reverse(evidence.start));
    for (evidence, new) in stretches {
        text_of(&mut post, evidence.part).replace_range(evidence.start as usize..evidence.end as usize, &new);
    }
    post
}

fn assert_same_or_none(call: &Call, post: &Post, what: &str) {
    let reading = read_post(post);
    let (before, after) = (call.reading.verdict.signals(), reading.verdict.signals());
    assert!(
        after.is_empty() || after == before,
        "{} {what}\n{post:?}\nwas {before:#?}\nis {after:#?}",
        call.id
    );
}

#[test]
fn invisible_characters_change_nothing() {
    const INVISIBLE: [char; 6] = ['\u{200b}', '\u{feff}', '\u{200d}', '\u{2060}', '\u{ad}', '\u{200f}'];
    let mut dice = Dice::new(11);
    for call in calls() {
        for _ in 0..4 {
            let post = changed(&call.post, |character| match dice.below(5) {
                0 => format!("{}{character}", INVISIBLE[dice.below(INVISIBLE.len())]),
                _ => character.to_string(),
            });
            assert_eq!(read_post(&post).verdict, call.reading.verdict, "{}\n{post:?}", call.id);
        }
    }
}

#[test]
fn look_alike_letters_never_make_another_signal() {
    let pairs = "aаeеoоpрcсxхyуAАBВEЕKКMМHНOОPРCСTТXХSЅ".chars().collect::<Vec<char>>();
    let mut dice = Dice::new(12);
    for call in calls() {
        for rarity in [3, 8, 20] {
            let post = changed(&call.post, |character| {
                let pair = pairs.chunks(2).find(|pair| pair[0] == character);
                pair.filter(|_| dice.below(rarity) == 0).map_or(character, |pair| pair[1]).to_string()
            });
            assert_same_or_none(&call, &post, "with look-alike letters");
        }
    }
}

#[test]
fn digits_of_other_fonts_and_scripts_are_the_same_digits() {
    for call in calls() {
        for zero in ['０', '𝟬', '٠', '۰'] {
            let post = changed(&call.post, |character| match character.to_digit(10) {
                Some(digit) => char::from_u32(u32::from(zero) + digit).unwrap().to_string(),
                None => character.to_string(),
            });
            assert_same_or_none(&call, &post, "with other digits");
        }
    }
}

#[test]
fn stop_and_target_that_changed_places_are_never_accepted() {
    let mut tried = 0;
    for call in calls() {
        let [signal] = call.reading.verdict.signals() else { continue };
        let of = |field: Field| call.reading.evidence.iter().filter(move |e| e.field == field);
        let price = |e: &&Evidence| {
            e.part == Part::Content && e.text(&call.post).is_some_and(|text| !text.ends_with(['%', 'R', 'r']))
        };
        let priced = signal.fields().stop.as_ref().is_some_and(|stop| stop.price().is_some());
        let (Some(stop), Some(target)) = (of(Field::Stop).find(price), of(Field::Target).find(price)) else {
            continue;
        };
        if !priced || of(Field::Side).next().is_none() || stop.text(&call.post) == target.text(&call.post) {
            continue;
        }
        let text = |e: &Evidence| e.text(&call.post).unwrap().to_owned();
        let post = replaced(&call.post, vec![(*stop, text(target)), (*target, text(stop))]);
        let after = read_post(&post);
        assert!(after.verdict.signals().is_empty(), "{}\n{post:?}\n{after:#?}", call.id);
        tried += 1;
    }
    assert!(tried > 50, "only {tried} posts have a stop and a target to swap");
}

/// The post with one mark between digits for another, everywhere: an author writes all numbers in one way.
fn reseparated(post: &Post, from: char, to: &str) -> Post {
    let mut post = post.clone();
    for text in texts(&mut post) {
        let characters: Vec<char> = text.chars().collect();
        let digit =
            |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(char::is_ascii_digit);
        let new = characters.iter().enumerate().map(|(at, character)| {
            let between = *character == from && digit(at.checked_sub(1)) && digit(Some(at + 1));
            if between { to.to_owned() } else { character.to_string() }
        });
        *text = new.collect();
    }
    post
}

#[test]
fn other_separators_never_make_another_signal() {
    for call in calls() {
        for (from, to) in [('.', ","), ('.', " ."), ('.', "·"), ('.', "․")] {
            let post = reseparated(&call.post, from, to);
            assert_same_or_none(&call, &post, &format!("with {from:?} as {to:?}"));
        }
    }
}

#[test]
fn a_question_about_it_is_never_accepted() {
    for call in calls() {
        let mut post = call.post.clone();
        post.content.push_str("\nwhat do you think?");
        let after = read_post(&post);
        assert!(after.verdict.signals().is_empty(), "{}\n{post:?}\n{after:#?}", call.id);
    }
}
