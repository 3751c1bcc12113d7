//! A DNS server on loopback whose answers a test writes, over UDP and TCP on one port.

use hickory_resolver::proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// What is answered to one question.
pub(super) enum Reply {
    /// These records; over UDP cut where they are too long for it.
    Records(Vec<Record>),
    /// This code and nothing else.
    Code(ResponseCode),
    /// No answer at all.
    Silence,
    /// Bytes that are no message.
    Garbage,
}

/// Says what is answered, by the question's name (without its final dot) and type, and how many were asked before it.
pub(super) type Script = dyn Fn(&str, RecordType, usize) -> Reply + Send + Sync;

/// A server; it ends with the runtime of its test.
pub(super) struct Dns {
    pub(super) address: SocketAddr,
    pub(super) asked: Arc<Mutex<Vec<(String, RecordType)>>>,
}

#[derive(Clone)]
struct Answerer {
    script: Arc<Script>,
    count: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<(String, RecordType)>>>,
}

impl Dns {
    /// Starts one.
    pub(super) async fn start(script: impl Fn(&str, RecordType, usize) -> Reply + Send + Sync + 'static) -> Self {
        let (udp, tcp) = sockets().await;
        let address = udp.local_addr().expect("an address");
        let asked: Arc<Mutex<Vec<_>>> = Arc::default();
        let answerer = Answerer { script: Arc::new(script), count: Arc::default(), asked: Arc::clone(&asked) };
        tokio::spawn(serve_udp(udp, answerer.clone()));
        tokio::spawn(serve_tcp(tcp, answerer));
        Self { address, asked }
    }
}

/// Two sockets of one port: the system gives a free one of UDP, and that of TCP may be taken.
async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().expect("an address")).await {
            return (udp, tcp);
        }
    }
}

impl Answerer {
    /// The bytes to answer `question` with, at most `room`; none for silence.
    fn answer(&self, question: &[u8], room: usize) -> Option<Vec<u8>> {
        let asked = Message::from_vec(question).expect("a question");
        let query = asked.queries.first().expect("one question").clone();
        let name = query.name().to_ascii().trim_end_matches('.').to_owned();
        self.asked.lock().expect("the list").push((name.clone(), query.query_type()));
        let mut message = Message::new(asked.metadata.id, MessageType::Response, OpCode::Query);
        message.metadata.recursion_available = true;
        message.add_query(query.clone());
        match (self.script)(&name, query.query_type(), self.count.fetch_add(1, Ordering::SeqCst)) {
            Reply::Records(records) => message.insert_answers(records),
            Reply::Code(code) => message.metadata.response_code = code,
            Reply::Silence => return None,
            Reply::Garbage => return Some([&question[..2], &[0xff; 40]].concat()),
        }
        let bytes = message.to_vec().expect("bytes");
        if bytes.len() <= room {
            return Some(bytes);
        }
        let mut cut = message.truncate();
        cut.metadata.truncation = true;
        Some(cut.to_vec().expect("bytes"))
    }
}

async fn serve_udp(socket: UdpSocket, answerer: Answerer) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        if let Some(answer) = answerer.answer(&buffer[..length], 512) {
            socket.send_to(&answer, from).await.expect("to send");
        }
    }
}

async fn serve_tcp(listener: TcpListener, answerer: Answerer) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve_stream(stream, answerer.clone()));
    }
}

async fn serve_stream(mut stream: TcpStream, answerer: Answerer) {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; usize::from(length)];
        if stream.read_exact(&mut question).await.is_err() {
            return;
        }
        let Some(answer) = answerer.answer(&question, usize::from(u16::MAX)) else { continue };
        let length = u16::try_from(answer.len()).expect("a length");
        if stream.write_all(&[&length.to_be_bytes(), answer.as_slice()].concat()).await.is_err() {
            return;
        }
    }
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).expect("a name")
}

/// A record of `owner` for an address of either family.
pub(super) fn at(owner: &str, address: &str) -> Record {
    let data = match address.parse().expect("an address") {
        IpAddr::V4(four) => RData::A(A(four)),
        IpAddr::V6(six) => RData::AAAA(AAAA(six)),
    };
    Record::from_rdata(name(owner), 300, data)
}

/// A record that makes `owner` an alias of `target`.
pub(super) fn alias(owner: &str, target: &str) -> Record {
    Record::from_rdata(name(owner), 300, RData::CNAME(CNAME(name(target))))
}

/// `records` of the type that was asked for, aliases besides: what an honest server answers.
pub(super) fn of_type(records: Vec<Record>, asked: RecordType) -> Reply {
    Reply::Records(
        records.into_iter().filter(|record| record.record_type() == asked || record.record_type() == RecordType::CNAME).collect(),
    )
}
