//! Tests of the whole room, against origins and a DNS server that they start.

mod bodies;
mod decide;
mod dns;
mod hostile;
mod house;
mod index;
mod learn;
mod limits;
mod origin;
mod plain;
mod redirects;
mod resolve;
mod secret;
mod streams;
mod tls;
mod trial;
