//! The guest's exchanges with the supervisor. These ops only pass on; what may be sent is decided where it is sent.

use crate::console::PortBox;
use crate::port::{Ask, AskBody, PIECE_BYTES_MAX, Redirect, Refusal, SERVED_HEADER_BYTES_MAX, Served};
use deno_core::{OpState, ToJsBuffer, op2};
use deno_error::JsErrorBox;

/// The bytes of the piece that is being delivered, until the script has taken them.
pub(crate) struct Incoming(pub(crate) Vec<u8>);

/// Why an op of this room refused its arguments: a mistake in our own scripts.
fn misuse(what: &'static str) -> JsErrorBox {
    JsErrorBox::type_error(what)
}

fn body_of(kind: u32, bytes: &[u8]) -> Result<AskBody, JsErrorBox> {
    match kind {
        0 => Ok(AskBody::None),
        1 if bytes.len() <= PIECE_BYTES_MAX => Ok(AskBody::Whole(bytes.to_vec())),
        2 => Ok(AskBody::Streamed),
        _ => Err(misuse("not a body")),
    }
}

fn redirect_of(number: u32) -> Result<Redirect, JsErrorBox> {
    match number {
        0 => Ok(Redirect::Follow),
        1 => Ok(Redirect::Manual),
        2 => Ok(Redirect::Error),
        _ => Err(misuse("not a redirect mode")),
    }
}

/// Caused by the guest: the run has asked too often. Its class is one that `js/guard.js` brands.
fn refused(refusal: &Refusal) -> JsErrorBox {
    JsErrorBox::new("CordonAskRefused", format!("{}: {}", refusal.reason, refusal.remediation))
}

/// Asks to have a request sent; the number of the exchange.
#[op2]
#[smi]
fn op_cordon_ask(
    state: &mut OpState,
    #[string] method: String,
    #[string] url: String,
    #[serde] headers: Vec<(String, String)>,
    #[smi] kind: u32,
    #[buffer] body: &[u8],
    #[smi] redirect: u32,
) -> Result<u32, JsErrorBox> {
    let ask = Ask { method, url, headers, body: body_of(kind, body)?, redirect: redirect_of(redirect)? };
    let port = state.try_borrow_mut::<PortBox>().ok_or_else(|| misuse("no run"))?;
    port.ask(ask).map_err(|refusal| refused(&refusal))
}

/// Answers the request that the run serves.
#[op2]
fn op_cordon_serve(state: &mut OpState, #[smi] status: u32, #[serde] headers: Vec<(String, String)>, body: bool) -> Result<(), JsErrorBox> {
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > SERVED_HEADER_BYTES_MAX {
        let message =
            format!("the Response's headers have {bytes} bytes, at most {SERVED_HEADER_BYTES_MAX} can be sent: send less, or in the body");
        return Err(JsErrorBox::type_error(message));
    }
    let port = state.try_borrow_mut::<PortBox>().ok_or_else(|| misuse("no run"))?;
    let status = u16::try_from(status).map_err(|_| misuse("not a status"))?;
    port.serve(Served { status, headers, body });
    Ok(())
}

/// Waits for the next piece of an exchange.
#[op2(fast)]
fn op_cordon_want(state: &mut OpState, #[smi] stream: u32) {
    if let Some(port) = state.try_borrow_mut::<PortBox>() {
        port.want(stream);
    }
}

/// Gives a piece of the guest's own body.
#[op2(fast)]
fn op_cordon_piece(state: &mut OpState, #[smi] stream: u32, #[buffer] bytes: &[u8], last: bool) {
    if let Some(port) = state.try_borrow_mut::<PortBox>() {
        port.piece(stream, &bytes[..bytes.len().min(PIECE_BYTES_MAX)], last);
    }
}

/// Ends an exchange from the guest's side.
#[op2(fast)]
fn op_cordon_abandon(state: &mut OpState, #[smi] stream: u32) {
    if let Some(port) = state.try_borrow_mut::<PortBox>() {
        port.abandon(stream);
    }
}

/// Copies the piece that is being delivered.
#[op2(fast)]
fn op_cordon_take(state: &mut OpState, #[buffer] into: &mut [u8]) {
    if let Some(Incoming(bytes)) = state.try_take::<Incoming>() {
        let length = into.len().min(bytes.len());
        into[..length].copy_from_slice(&bytes[..length]);
    }
}

/// Type and bytes of a `data:` URL.
#[op2]
#[serde]
fn op_cordon_data_url(#[string] url: &str) -> Result<(String, ToJsBuffer), JsErrorBox> {
    let not_one = || misuse("fetch failed: this is not a data: URL that can be read");
    let parsed = data_url::DataUrl::process(url).map_err(|_| not_one())?;
    let (bytes, _) = parsed.decode_to_vec().map_err(|_| not_one())?;
    Ok((parsed.mime_type().to_string(), bytes.into()))
}

deno_core::extension!(
    cordon_wire,
    ops = [op_cordon_ask, op_cordon_serve, op_cordon_want, op_cordon_piece, op_cordon_abandon, op_cordon_take, op_cordon_data_url]
);
