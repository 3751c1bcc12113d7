//! The origin and the floor of `benches/egress.py`. It speaks of nothing of the house, so that both are what anybody would write with hyper.
//!
//! ```text
//! egress-floor origin ADDRESS NAME PEM      serves until its stdin ends; see `origin`
//! egress-floor client ADDRESS:PORT NAME PEM plain|one|two WORK NUMBER
//! ```

mod body;
mod client;
mod origin;

/// Whatever goes wrong ends the benchmark, with its words.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["origin", address, name, pem] => origin::serve(address.parse()?, name, pem.as_ref()).await,
        ["client", address, name, pem, protocol, work, number] => {
            let way = client::Way::new(address.parse()?, name, pem.as_ref(), protocol)?;
            client::work(way, work, number.parse()?).await
        }
        _ => Err("usage: see the top of benches/egress/main.rs".into()),
    }
}
