//! Whether a URL's path begins as a rule says, and goes on doing so for whoever decodes it once more than we do.

/// How many layers of percent-encoding are taken off before a path counts as hiding something.
const LAYERS_MAX: usize = 8;

/// True when `path` begins with `prefix`: by whole segments, or anyhow where the prefix ends in `/`. The prefix `/` fits all paths; any longer
/// one only paths whose segments are the same for every reader (see [`is_plain`]).
pub fn fit(prefix: &str, path: &str) -> bool {
    if prefix == "/" {
        return path.starts_with('/');
    }
    let begins = match path.strip_prefix(prefix) {
        Some(rest) => prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/'),
        None => false,
    };
    begins && is_plain(path)
}

/// True when no reader finds other segments in `path` than we do: no slash, backslash or dot is encoded, however often; no segment is empty
/// but the last, or becomes empty or a dot segment without its `;` parameters; every escape is one, and all of them make UTF-8 (whose
/// overlong forms of `/` and `.` some decoders take).
pub fn is_plain(path: &str) -> bool {
    if !escapes_are_whole(path.as_bytes()) {
        return false;
    }
    let mut layer = path.as_bytes().to_vec();
    for _ in 0..LAYERS_MAX {
        if !segments_are_plain(&layer) {
            return false;
        }
        match decode(&layer) {
            Decoded::Same => return true,
            Decoded::Hidden => return false,
            Decoded::Text(text) => layer = text,
        }
    }
    false
}

/// A `%` that begins no escape is read in as many ways as there are readers (`%u002f`, `%%32f`).
fn escapes_are_whole(path: &[u8]) -> bool {
    path.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| escaped(path, at).is_some())
}

fn segments_are_plain(path: &[u8]) -> bool {
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        let is_end = segment.is_empty() && segments.peek().is_none();
        if name == b"." || name == b".." || (name.is_empty() && !is_end) {
            return false;
        }
    }
    path.starts_with(b"/") && !path.contains(&b'\\')
}

enum Decoded {
    Same,
    Hidden,
    Text(Vec<u8>),
}

/// Takes one layer of percent-encoding off.
fn decode(path: &[u8]) -> Decoded {
    let (mut text, mut at) = (Vec::with_capacity(path.len()), 0);
    while let Some(byte) = path.get(at) {
        match escaped(path, at) {
            Some(b'/' | b'\\' | b'.') => return Decoded::Hidden,
            Some(value) => {
                text.push(value);
                at += 3;
            }
            None => {
                text.push(*byte);
                at += 1;
            }
        }
    }
    match (text.len() == path.len(), std::str::from_utf8(&text)) {
        (_, Err(_)) => Decoded::Hidden,
        (true, Ok(_)) => Decoded::Same,
        (false, Ok(_)) => Decoded::Text(text),
    }
}

/// The byte that the escape at `at` stands for.
fn escaped(path: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| path.get(at).and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    (path.get(at) == Some(&b'%')).then_some(())?;
    Some(digit(at + 1)? << 4 | digit(at + 2)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_without_a_final_slash_matches_whole_segments() {
        for path in ["/v1", "/v1/", "/v1/a", "/v1/a/b.json", "/v1/a%20b", "/v1/100%25", "/v1/%C3%A4", "/v1/a;b=c", "/v1/..."] {
            assert!(fit("/v1", path), "{path}");
        }
        for path in ["/", "/v", "/v10", "/v1.json", "/v1;x", "/v1%20", "/V1/a", "/%761/a", "/a/v1", ""] {
            assert!(!fit("/v1", path), "{path}");
        }
    }

    #[test]
    fn a_prefix_with_a_final_slash_matches_what_follows_it() {
        assert!(fit("/v1/", "/v1/") && fit("/v1/", "/v1/a") && fit("/a%20b/", "/a%20b/c"));
        assert!(!fit("/v1/", "/v1") && !fit("/v1/", "/v10/") && !fit("/v1/", "/v1;/a"));
    }

    #[test]
    fn the_whole_of_a_host_is_its_first_slash_and_fits_the_trickiest_path() {
        for path in ["/", "/a", "/a%2f..%2fb", "/%252e%252e/", "//a", "/%"] {
            assert!(fit("/", path), "{path}");
        }
        assert!(!fit("/", "") && !fit("/", "a"));
    }

    #[test]
    fn a_path_that_another_reader_could_climb_out_of_fits_no_longer_prefix() {
        for rest in [
            "/..%2fadmin",
            "/..%2Fadmin",
            "/%2e%2e/admin",
            "/%2E%2E%2Fadmin",
            "/.%2e/admin",
            "/..%5cadmin",
            "/..%5Cadmin",
            "/..\\admin",
            "/%252e%252e/admin",
            "/..%252fadmin",
            "/..%252Fadmin",
            "/..%255cadmin",
            "/%25252e%25252e/admin",
            "/%25%32%65/admin",
            "/%%32%65",
            "/%2",
            "/%",
            "/%u002e%u002e/admin",
            "/%zz",
            "/../admin",
            "/./admin",
            "/..",
            "/..;/admin",
            "/..;a=b/admin",
            "/.;/admin",
            "/%3b/admin",
            "/;/admin",
            "/;",
            "/..%3b/admin",
            "/..%253b/admin",
            "//admin",
            "/a//admin",
            "/%c0%af",
            "/%c0%ae%c0%ae/admin",
            "/%e0%80%af",
            "/%ff",
        ] {
            let path = format!("/v1{rest}");
            assert!(!fit("/v1", &path) && !fit("/v1/", &path), "{path}");
            assert!(fit("/", &path), "{path}");
        }
    }

    #[test]
    fn layers_of_encoding_are_taken_off_up_to_a_bound_and_more_of_them_hide_something() {
        let layered = |layers: usize| format!("/v1/%{}41", "25".repeat(layers - 1));
        assert!(fit("/v1", &layered(LAYERS_MAX - 1)) && !fit("/v1", &layered(LAYERS_MAX)));
    }
}
