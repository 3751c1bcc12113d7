//! Domains below which anybody can have a name, so that a wildcard over one allows anybody.

/// Suffixes below which names belong to different owners. Source: the Public Suffix List (publicsuffix.org), its best-known entries of both of its
/// parts, registries first, then hosting. A short list: a suffix that is not here is not vouched for.
const SHARED: [&str; 62] = [
    "ac.uk",
    "co.uk",
    "gov.uk",
    "ltd.uk",
    "me.uk",
    "net.uk",
    "org.uk",
    "plc.uk",
    "co.jp",
    "ne.jp",
    "or.jp",
    "co.kr",
    "co.nz",
    "co.za",
    "co.in",
    "co.il",
    "co.id",
    "co.th",
    "com.ar",
    "com.au",
    "net.au",
    "org.au",
    "com.br",
    "net.br",
    "com.cn",
    "com.hk",
    "com.mx",
    "com.my",
    "com.sg",
    "com.tr",
    "com.tw",
    "appspot.com",
    "azurewebsites.net",
    "blogspot.com",
    "cloudapp.net",
    "cloudfront.net",
    "cloudfunctions.net",
    "deno.dev",
    "elasticbeanstalk.com",
    "elb.amazonaws.com",
    "firebaseapp.com",
    "fly.dev",
    "github.io",
    "gitlab.io",
    "glitch.me",
    "herokuapp.com",
    "myshopify.com",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.io",
    "onrender.com",
    "pages.dev",
    "r2.dev",
    "readthedocs.io",
    "repl.co",
    "replit.app",
    "run.app",
    "s3.amazonaws.com",
    "surge.sh",
    "vercel.app",
    "web.app",
    "workers.dev",
];

/// Ends of such suffixes whose middle names a region: `execute-api.eu-west-1.amazonaws.com`.
const REGIONAL: [(&str, &str); 4] =
    [("execute-api.", ".amazonaws.com"), ("s3.", ".amazonaws.com"), ("lambda-url.", ".on.aws"), ("blob.core.", "windows.net")];

/// True when the names directly below `parent` belong to different owners.
pub(super) fn is_shared(parent: &str) -> bool {
    let regional = |(start, end): &(&str, &str)| parent.starts_with(start) && parent.ends_with(end);
    SHARED.contains(&parent) || REGIONAL.iter().any(regional)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_that_anybody_can_register_below_is_shared_and_one_owners_domain_is_not() {
        for shared in ["github.io", "co.uk", "workers.dev", "execute-api.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"] {
            assert!(is_shared(shared), "{shared}");
        }
        for owned in ["api.example", "me.github.io", "github.com", "notgithub.io", "amazonaws.com.example"] {
            assert!(!is_shared(owned), "{owned}");
        }
    }
}
