//! Text that nobody would write on purpose, made of the pieces that intake looks for.

use super::*;
use proptest::prelude::*;

const PIECES: [&str; 36] = [
    "```",
    "~~~",
    "````",
    "~~~~",
    "```js",
    "~~~ts",
    "```json",
    "> ",
    ">",
    "\n",
    "\r\n",
    "\n> ",
    "\u{2028}",
    "\u{feff}",
    "\u{a0}",
    " ",
    "\t",
    "`",
    "${",
    "}",
    "{",
    "{ a: 1 }",
    ";",
    "// ",
    "/*",
    "*/",
    "/",
    "const f = () => 1",
    "let g = function () {}",
    "f",
    "input",
    "return",
    "'",
    "é😀",
    "\\",
    "1",
];

proptest! {
    #[test]
    fn any_order_of_pieces_is_answered_and_what_is_said_about_it_has_a_place_in_it(picks in proptest::collection::vec(0..PIECES.len(), 0..24)) {
        let source: String = picks.iter().map(|pick| PIECES[*pick]).collect();
        if let Err(rejection) = snippet(&source) {
            let place = rejection.location.map(|location| (location.line, location.column)).expect("a place");
            prop_assert_eq!(place::of_offset(&source, place::to_offset(&source, place.0, place.1)), place);
        }
        let unfenced = markdown::unfence(&source).ok().into_iter().chain(markdown::span(&source));
        for code in unfenced {
            prop_assert_eq!(code.text.len(), source.len());
        }
        prop_assert!(source.starts_with(trail::without(&source)));
    }
}

#[test]
fn long_odd_texts_are_answered() {
    for piece in PIECES.into_iter().chain(["> ```js\n> 1\n> ```\n", "{ a: 1 };// b\n", "~~~\n", "/**/;"]) {
        let _ = snippet(&piece.repeat(3_000));
        let _ = snippet(&format!("{{ a: 1 }};{}", piece.repeat(3_000)));
    }
}
