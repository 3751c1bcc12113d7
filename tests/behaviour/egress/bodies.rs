//! What requests and answers carry.

use super::Scene;
use crate::house::process::resident;
use crate::house::world::End;
use serde_json::json;

/// Most that connections hold on their way: the kernel's buffers of two sockets (`tcp_rmem`, `tcp_wmem`: 6 and 4 MiB by default), and as much again.
const ON_THE_WAY_MAX: u64 = 20 << 20;

#[test]
fn a_mebibyte_streams_out_and_back_and_stays_the_same() {
    let scene = Scene::start("");
    let report = scene.run(
        "wide",
        "const piece = (n) => Uint8Array.from({ length: 16384 }, (_, at) => (n * 7 + at) & 255);
        let sent = 0;
        const body = new ReadableStream({ pull(c) { if (sent === 64) c.close(); else c.enqueue(piece(sent++)); } });
        const answer = await fetch('https://good.example/mirror', { method: 'POST', body, duplex: 'half' });
        let at = 0, same = true;
        for await (const got of answer.body) {
            for (let i = 0; i < got.length; i += 251) same &&= got[i] === ((Math.floor((at + i) / 16384) * 7 + (at + i) % 16384) & 255);
            at += got.length;
        }
        return [at, same];",
    );
    assert_eq!(report["result"], json!([1 << 20, true]), "{report}");
    let row = &report["egress"][0];
    assert_eq!((&row["requestBytes"], &row["responseBytes"], &row["error"]), (&json!(1 << 20), &json!(1 << 20), &json!(null)), "{report}");
}

#[test]
fn a_guest_that_reads_slowly_makes_the_origin_wait_and_the_server_no_larger() {
    let scene = Scene::start("");
    scene.house.assert_well("wide");
    let before = resident(scene.house.pid());
    let grown = std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            scene.result(
                "wide",
                "const { body } = await fetch('https://good.example/bytes?n=1073741824');
                const reader = body.getReader();
                const first = (await reader.read()).value.length > 0;
                await new Promise((done) => setTimeout(done, 1500));
                await reader.cancel();
                return first;",
            )
        });
        scene.world.end_of("/bytes?n=1073741824");
        let grown = resident(scene.house.pid()).saturating_sub(before);
        assert_eq!(run.join().expect("the run"), true);
        grown
    });
    let (end, written) = scene.world.look(|state| (state.seen[0].end, state.seen[0].written));
    assert_eq!(end, End::Left);
    assert!(written > 0 && written < ON_THE_WAY_MAX, "{written} bytes were taken from the origin");
    assert!(grown < ON_THE_WAY_MAX, "the server grew by {grown} bytes");
}

#[test]
fn an_origin_that_does_not_read_makes_the_guest_wait_and_the_server_no_larger() {
    let scene = Scene::start("request_bytes_max = 268435456");
    scene.house.assert_well("wide");
    let before = resident(scene.house.pid());
    let pulled = scene.result(
        "wide",
        "let pulled = 0;
        const piece = new Uint8Array(65536);
        const body = new ReadableStream({ pull(c) { pulled += piece.length; c.enqueue(piece); } }, { highWaterMark: 0 });
        const controller = new AbortController();
        const sent = fetch('https://good.example/deaf', { method: 'POST', body, duplex: 'half', signal: controller.signal });
        await fetch('https://good.example/after?path=/deaf');
        setTimeout(() => controller.abort('enough'), 1500);
        const reason = await sent.catch((reason) => reason);
        await fetch('https://good.example/heard');
        return [reason, pulled];",
    );
    let grown = resident(scene.house.pid()).saturating_sub(before);
    assert_eq!((scene.world.end_of("/deaf"), &pulled[0]), (End::Left, &json!("enough")));
    assert!(pulled[1].as_u64().is_some_and(|bytes| bytes > 0 && bytes < ON_THE_WAY_MAX), "{pulled}");
    assert!(grown < ON_THE_WAY_MAX, "the server grew by {grown} bytes");
}

#[test]
fn every_kind_of_body_arrives_with_its_type() {
    let scene = Scene::start("");
    let told = scene.result(
        "wide",
        "const form = new FormData(); form.append('a', 'b'); form.append('f', new File(['x'], 'n.txt', { type: 'text/x-f' }));
        const stream = new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('str')); c.enqueue(new TextEncoder().encode('eam')); c.close(); } });
        const bodies = ['täxt', new URLSearchParams({ a: 'b c' }), new Blob(['blob'], { type: 'text/x-b' }), new Uint8Array([97, 98]).subarray(1), stream, form];
        const told = [];
        for (const body of bodies) {
            const answer = await fetch('https://good.example/echo', { method: 'POST', body, duplex: 'half' });
            const { headers, body: seen } = await answer.json();
            told.push([headers['content-type'] ?? null, headers['content-length'] ?? null, headers['transfer-encoding'] ?? null, seen]);
        }
        const [, boundary] = /^multipart\\/form-data; boundary=(.+)$/.exec(told[5][0]);
        const parts = told.pop()[3].split('--' + boundary).map((part) => part.trim());
        return [told, parts];",
    );
    let wanted = json!([
        ["text/plain;charset=UTF-8", "5", null, "täxt"],
        ["application/x-www-form-urlencoded;charset=UTF-8", "5", null, "a=b+c"],
        ["text/x-b", null, "chunked", "blob"],
        [null, "1", null, "b"],
        [null, null, "chunked", "stream"],
    ]);
    assert_eq!(told[0], wanted);
    let parts = [
        "",
        "Content-Disposition: form-data; name=\"a\"\r\n\r\nb",
        "Content-Disposition: form-data; name=\"f\"; filename=\"n.txt\"\r\nContent-Type: text/x-f\r\n\r\nx",
        "--",
    ];
    assert_eq!(told[1], json!(parts));
}

#[test]
fn what_is_packed_is_unpacked_and_cookies_stay_apart() {
    let scene = Scene::start("");
    let report = scene.run(
        "wide",
        "const packed = await fetch('https://good.example/gzip?n=100000');
        const cookies = await fetch('https://good.example/cookies');
        const text = await packed.text();
        return [text.length, text === 'x'.repeat(100000), packed.headers.get('content-encoding'), cookies.headers.getSetCookie(), await cookies.text()];",
    );
    assert_eq!(report["result"], json!([100_000, true, null, ["a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT", "b=2"], "fed"]), "{report}");
    assert_eq!(report["egress"][0]["responseBytes"], 100_000);
    let asked = scene.world.look(|state| state.seen[0].all("accept-encoding").join(","));
    assert_eq!(asked, "gzip, deflate");
}
