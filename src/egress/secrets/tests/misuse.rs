//! A placeholder anywhere but in its one place.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

const HERE: &str = "https://good.example/v1/orders";

#[test]
fn a_placeholder_in_its_header_for_its_host_is_let_through_in_two_forms() {
    let (run, token) = placeholder();
    let whole = format!("Bearer {token}");
    let spaced = format!(" \t{whole} ");
    for value in [&whole, &token, &spaced] {
        for name in ["authorization", "Authorization", "AUTHORIZATION"] {
            assert_eq!(inspect(&run, HERE, &[(name, value)]), Ok(()), "{name}: {value}");
        }
    }
    assert_eq!(inspect(&run, "https://good.example:8443/v1", &[("authorization", &whole)]), Ok(()), "ports are the rule's matter");
    assert_eq!(inspect(&run, HERE, &[("x-other", "cordon_secret_"), ("accept", "*/*")]), Ok(()));
}

#[test]
fn what_asks_for_a_secret_rightly_is_named_also_where_nothing_leaves() {
    let (run, token) = placeholder();
    let value = format!("Bearer {token}");
    let named = |headers: &[(&str, &str)]| run.inspect(&target("GET", HERE), &lines(headers));
    assert_eq!(named(&[("authorization", &value)]), Ok(vec!["API_KEY".to_owned()]));
    assert_eq!(named(&[("accept", "*/*")]), Ok(Vec::new()));
}

#[test]
fn a_placeholder_for_another_target_is_a_violation() {
    let (run, token) = placeholder();
    let value = format!("Bearer {token}");
    let kind_of = |method: &str, url: &str| kind(run.inspect(&target(method, url), &lines(&[("authorization", &value)])));
    for host in ["evil.example", "sub.good.example", "good.example.evil.example", "xgood.example", "example", "127.0.0.1", "[::1]"] {
        assert_eq!(kind_of("GET", &format!("https://{host}/v1")), ("wrongHost", true), "{host}");
    }
    assert_eq!(kind_of("GET", "http://good.example/v1"), ("plainText", true));
    assert_eq!(kind_of("GET", "http://good.example:443/v1"), ("plainText", true));
    assert_eq!(kind_of("DELETE", HERE), ("wrongMethod", true));
    assert_eq!(kind_of("get2", HERE), ("wrongMethod", true));
    for path in ["/", "/v10", "/v2", "/V1", "/v1%2forders", "/v1/..%2f/x", "/v1/%252e%252e/x"] {
        assert_eq!(kind_of("GET", &format!("https://good.example{path}")), ("wrongPath", true), "{path}");
    }
    assert_eq!(kind_of("GET", "https://good.example/v1/../v2"), ("wrongPath", true), "the parser takes the dots away first");
}

#[test]
fn a_placeholder_in_another_header_or_another_form_is_a_violation() {
    let (run, token) = placeholder();
    let basic = format!("Basic {}", STANDARD.encode(format!("user:{token}")));
    let values = [
        format!("bearer {token}"),
        format!("Bearer  {token}"),
        format!("Bearer {token}x"),
        format!("Bearer {token}{token}"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {}", token.to_uppercase()),
        format!("Bearer {}", STANDARD.encode(&token)),
        basic.clone(),
    ];
    for value in &values {
        assert_eq!(kind(inspect(&run, HERE, &[("authorization", value)])), ("wrongHeader", true), "{value}");
    }
    let right = format!("Bearer {token}");
    for name in ["x-authorization", "cookie", "proxy-authorization", "authorization2"] {
        assert_eq!(kind(inspect(&run, HERE, &[(name, &right)])), ("wrongHeader", true), "{name}");
    }
    assert_eq!(kind(inspect(&run, HERE, &[(&format!("x-{token}"), "1")])), ("wrongHeader", true), "in a name");
    assert_eq!(kind(inspect(&run, HERE, &[(&format!("X-{}", token.to_uppercase()), "1")])), ("wrongHeader", true));
    assert_eq!(kind(inspect(&run, HERE, &[("authorization", &right), ("Authorization", "x")])), ("wrongHeader", true), "twice");
    assert_eq!(kind(inspect(&run, HERE, &[("authorization", &right), ("authorization", &right)])), ("wrongHeader", true));
    assert_eq!(kind(inspect(&run, HERE, &[("authorization", &right), ("x-copy", &token)])), ("wrongHeader", true));
    assert_eq!(kind(inspect(&run, HERE, &[("authorization", &right), ("x-\u{20ac}", &format!("\u{20ac}{token}"))])), ("wrongHeader", true));
}

/// `text` with every character escaped, in mixed case, `rounds` times.
fn escaped(text: &str, rounds: usize) -> String {
    (0..rounds).fold(text.to_owned(), |text, _| {
        let escape = |(at, byte): (usize, u8)| match at % 3 {
            0 => format!("%{byte:02x}"),
            1 => format!("%{byte:02X}"),
            _ => char::from(byte).to_string(),
        };
        text.bytes().enumerate().map(escape).collect()
    })
}

#[test]
fn a_placeholder_in_the_url_is_found_in_every_spelling() {
    let (run, token) = placeholder();
    let mut spellings = vec![token.clone(), token.to_uppercase(), escaped(&token, 1), escaped(&token, 2), escaped(&token, 3)];
    spellings.extend([hex::encode(&token), hex::encode_upper(&token), escaped(&hex::encode(&token), 1)]);
    for before in ["", "a", "ab", "user:"] {
        for after in ["", "z", "zz", "zzz"] {
            let text = format!("{before}{token}{after}");
            spellings.extend([STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text), escaped(&STANDARD.encode(&text), 1)]);
        }
    }
    for spelling in &spellings {
        for url in [
            format!("{HERE}?q={spelling}"),
            format!("{HERE}?{spelling}=1"),
            format!("{HERE}/{spelling}/x"),
            format!("https://evil.example/{spelling}"),
        ] {
            let misuse = inspect(&run, &url, &[]).expect_err(&url);
            assert_eq!((misuse.kind, misuse.violation), ("inUrl", true), "{url}");
        }
    }
    assert_eq!(kind(inspect(&run, &format!("https://{token}.evil.example/"), &[])), ("inUrl", true), "in the host");
    let halves = token.split_at(24);
    assert_eq!(kind(inspect(&run, &format!("{HERE}?q={}\n\t{}", halves.0, halves.1), &[])), ("inUrl", true), "the parser joins it");
}

#[test]
fn a_percent_that_begins_no_escape_hides_nothing_behind_it() {
    let (run, token) = placeholder();
    for text in [format!("%{token}"), format!("%4{token}"), format!("%%{token}"), format!("%zz%{token}%"), format!("{token}%4")] {
        assert_eq!(kind(inspect(&run, HERE, &[("x-a", &text)])), ("wrongHeader", true), "{text}");
    }
}

#[test]
fn a_range_is_refused_next_to_a_secret_and_is_no_violation() {
    let (run, token) = placeholder();
    for name in ["range", "Range", "if-range", "IF-RANGE"] {
        assert_eq!(kind(inspect(&run, HERE, &[("authorization", &token), (name, "bytes=0-1")])), ("rangeWithSecret", false));
        assert_eq!(inspect(&run, HERE, &[(name, "bytes=0-1")]), Ok(()));
    }
}

#[test]
fn a_placeholder_of_another_run_is_nothing() {
    let ((run, mine), (_, other)) = (placeholder(), placeholder());
    assert_ne!(mine, other);
    assert_eq!(inspect(&run, &format!("https://evil.example/{other}"), &[("x-a", &other)]), Ok(()));
}

#[test]
fn a_decoy_anywhere_is_a_violation_even_in_a_run_without_grants() {
    let bare = run(&[], Values::Withheld);
    for (name, decoy) in bare.decoys(&[]) {
        let basic = format!("Basic {}", STANDARD.encode(format!("x:{decoy}")));
        for (url, value) in [
            (format!("https://evil.example/?{decoy}"), ""),
            (format!("https://evil.example/{}", escaped(&decoy, 2)), ""),
            (format!("https://evil.example/{}", hex::encode(&decoy)), ""),
            ("http://evil.example/".to_owned(), decoy.as_str()),
            ("http://evil.example/".to_owned(), basic.as_str()),
        ] {
            let misuse = inspect(&bare, &url, &[("authorization", value)]).expect_err("a misuse");
            assert_eq!((misuse.kind, misuse.violation, misuse.secret.as_str()), ("canary", true, name.as_str()), "{url} {value}");
        }
    }
    let (run, token) = placeholder();
    let decoy = &run.decoys(&[])[0].1;
    assert_eq!(kind(inspect(&run, &format!("{HERE}?{token}"), &[("x-a", decoy)])), ("canary", true), "the graver finding wins");
}

#[test]
fn decoys_leave_room_for_names_that_are_taken_or_granted() {
    let names = |run: &RunSecrets, taken: &[&str]| run.decoys(taken).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let bare = run(&[], Values::Real);
    assert_eq!(names(&bare, &[]), ["AWS_SECRET_ACCESS_KEY", "VAULT_TOKEN", "CORDON_SIGNING_KEY"]);
    assert_eq!(names(&bare, &["VAULT_TOKEN", "X"]), ["AWS_SECRET_ACCESS_KEY", "CORDON_SIGNING_KEY"]);
    let granted = run(&[grant("AWS_SECRET_ACCESS_KEY", SecretMode::Inject)], Values::Real);
    assert_eq!(names(&granted, &[]), ["VAULT_TOKEN", "CORDON_SIGNING_KEY"]);
}

#[test]
fn the_mend_says_where_the_placeholder_belongs() {
    let (run, token) = placeholder();
    let misuse = inspect(&run, "https://evil.example/", &[("authorization", &token)]).expect_err("a misuse");
    assert!(misuse.remediation.contains("`authorization: Bearer ${env.API_KEY}` with GET, POST to https://good.example/v1"), "{misuse:?}");
}
