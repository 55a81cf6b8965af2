//! Fuzzes the whole reader: any text, as content, as an embed, and as a reply.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::text(data));
