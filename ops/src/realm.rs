//! The realm: an isolate with the Web APIs, Cordon's own scripts and no way back to the host but its ops.

use crate::console::PortBox;
use crate::memory::{self, Account};
use crate::port::Delivery;
use crate::{clock, console, embedded, finish, guard, interrupt, random, subtle, wire};
use deno_core::{Extension, JsRuntime, ModuleLoader, OpDecl, RuntimeOptions, op2, v8};
use deno_error::JsErrorBox;
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Ops of deno_core and the Web API crate that the realm's scripts need. Every other one throws.
/// Source: what each embedded script takes from `core.ops`; the surface test and the whole test suite would miss one.
const KEPT: &[&str] = &[
    "op_add",
    "op_base64_atob",
    "op_base64_btoa",
    "op_base64_decode",
    "op_base64_encode_from_buffer",
    "op_blob_clone_part",
    "op_blob_create_object_url",
    "op_blob_create_part",
    "op_blob_from_object_url",
    "op_blob_read_part",
    "op_blob_remove_part",
    "op_blob_revoke_object_url",
    "op_blob_slice_part",
    "op_close",
    "op_compression_finish",
    "op_compression_new",
    "op_compression_write",
    "op_console_css_to_ansi",
    "op_console_format_value",
    "op_console_get_string_width",
    "op_console_inspect",
    "op_console_inspect_args",
    "op_console_parse_css",
    "op_console_parse_css_color",
    "op_console_quote_string",
    "op_console_strip_vt",
    "op_decode",
    "op_defer",
    "op_deserialize",
    "op_destructure_error",
    "op_dispatch_exception",
    "op_drain_pending_rejections",
    "op_encode",
    "op_encoding_decode",
    "op_encoding_decode_single",
    "op_encoding_decode_utf8",
    "op_encoding_decode_utf8_ascii_only",
    "op_encoding_encode_into",
    "op_encoding_encode_into_fallback",
    "op_encoding_new_decoder",
    "op_encoding_normalize_label",
    "op_get_constructor_name",
    "op_get_ext_import_meta_proto",
    "op_get_extras_binding_object",
    "op_get_non_index_property_names",
    "op_get_promise_details",
    "op_get_proxy_details",
    "op_immediate_check",
    "op_load_ext_script",
    "op_message_port_create_entangled",
    "op_message_port_post_message",
    "op_message_port_post_message_raw",
    "op_message_port_recv_message",
    "op_message_port_recv_message_sync",
    "op_preview_entries",
    "op_ref_op",
    "op_run_microtasks",
    "op_serialize",
    "op_set_captured_bootstrap",
    "op_set_handled_promise_rejection_handler",
    "op_str_byte_length",
    "op_structured_clone",
    "op_timer_now",
    "op_timer_schedule",
    "op_timer_track",
    "op_timer_untrack",
    "op_try_close",
    "op_unref_op",
    "op_url_get_serialization",
    "op_url_parse",
    "op_url_parse_search_params",
    "op_url_parse_with_base",
    "op_url_reparse",
    "op_url_stringify_search_params",
    "op_urlpattern_parse",
    "op_urlpattern_process_match_input",
];

/// Classes of the Web API crate that are backed by Rust and needed.
const KEPT_OBJECTS: &[&str] = &["Console"];

/// Our fault or the build's: the realm could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum RealmError {
    /// The runtime refused an extension or a script.
    #[error("the realm could not be built: {0}")]
    Runtime(String),
    /// Our start script did not return what it should.
    #[error("the start script returned no `{0}` function")]
    Entry(&'static str),
}

/// The realm's doors from the host.
pub struct Entry {
    /// Sets what differs between sibling cells: seeds and clocks.
    pub arm: v8::Global<v8::Function>,
    /// Takes what the supervisor sent: `(kind, stream, text, length)`.
    pub deliver: v8::Global<v8::Function>,
    /// Runs one run: `(main, entrypoint, input, vars, run, served)`.
    pub invoke: v8::Global<v8::Function>,
    /// Says when the next timer is due.
    pub next_timer: v8::Global<v8::Function>,
}

/// Takes the place of an op that is switched off. Without a fast form, which would be silent.
#[op2(nofast)]
fn op_cordon_off() -> Result<(), JsErrorBox> {
    Err(JsErrorBox::type_error("this host function is switched off"))
}

/// True for ops that guest-reachable scripts may still call.
pub fn is_kept(op: &str) -> bool {
    op.starts_with("op_cordon_") || clock::coarse(op).is_some() || KEPT.contains(&op) || op.starts_with("op_is_")
}

fn tame(op: OpDecl) -> OpDecl {
    match clock::coarse(op.name) {
        Some(coarse) => op.with_implementation_from(&coarse),
        None if is_kept(op.name) => op,
        None => op.with_implementation_from(&op_cordon_off()),
    }
}

fn extensions() -> Vec<Extension> {
    let mut webidl = deno_webidl::deno_webidl::init();
    webidl.lazy_loaded_js_files = Cow::Owned(embedded::sources(embedded::WEB, "ext:deno_webidl/"));
    let mut web =
        deno_web::deno_web::init(Arc::<deno_web::BlobStore>::default(), None, false, deno_web::InMemoryBroadcastChannel::default());
    web.lazy_loaded_js_files = Cow::Owned(embedded::sources(embedded::WEB, "ext:deno_web/"));
    web.lazy_loaded_esm_files = Cow::Borrowed(&[]);
    web.objects.to_mut().retain(|object| KEPT_OBJECTS.contains(&object.name.0));
    let fetch = Extension {
        name: "deno_fetch",
        lazy_loaded_js_files: Cow::Owned([embedded::WEB, embedded::OWN].map(|table| embedded::sources(table, "ext:deno_fetch/")).concat()),
        ..Default::default()
    };
    let own = Extension {
        name: "cordon",
        lazy_loaded_js_files: Cow::Owned(embedded::sources(embedded::OWN, "ext:cordon/")),
        middleware_fn: Some(Box::new(tame)),
        ..Default::default()
    };
    vec![
        webidl,
        web,
        fetch,
        random::cordon_random::init(),
        console::cordon_console::init(),
        guard::cordon_guard::init(),
        finish::cordon_finish::init(),
        subtle::cordon_subtle::init(),
        wire::cordon_wire::init(),
        own,
    ]
}

/// Builds a realm whose memory is kept by `account` and whose modules come from `loader`. Inside a tokio context with a timer.
pub fn build(account: &Arc<Account>, heap_bytes_max: usize, loader: Rc<dyn ModuleLoader>) -> Result<(JsRuntime, Entry), RealmError> {
    let mut runtime = JsRuntime::try_new(RuntimeOptions {
        module_loader: Some(loader),
        extensions: extensions(),
        create_params: Some(memory::create_params(account, heap_bytes_max)),
        validate_import_attributes_cb: Some(Box::new(refuse_attributes)),
        // Without one, structuredClone copies what it should transfer. Nothing can be shared: there is no SharedArrayBuffer.
        shared_array_buffer_store: Some(deno_core::SharedArrayBufferStore::default()),
        ..Default::default()
    })
    .map_err(|error| RealmError::Runtime(error.to_string()))?;
    memory::watch(runtime.v8_isolate(), account);
    interrupt::prepare(&mut runtime);
    let start = runtime.execute_script("ext:cordon/start.js", embedded::START).map_err(|error| RealmError::Runtime(error.to_string()))?;
    let entry = entry(&mut runtime, &start)?;
    Ok((runtime, entry))
}

fn entry(runtime: &mut JsRuntime, start: &v8::Global<v8::Value>) -> Result<Entry, RealmError> {
    deno_core::scope!(scope, runtime);
    let object = v8::Local::new(scope, start).to_object(scope);
    let function = |name: &'static str| {
        let key = v8::String::new(scope, name)?;
        let value = object?.get(scope, key.into())?;
        let function = v8::Local::<v8::Function>::try_from(value).ok()?;
        Some(v8::Global::new(scope, function))
    };
    let door = |name| function(name).ok_or(RealmError::Entry(name));
    Ok(Entry { arm: door("arm")?, deliver: door("deliver")?, invoke: door("invoke")?, next_timer: door("nextTimer")? })
}

/// Calls one of the realm's doors with `texts`. Nothing comes back: each tells its port how it went, and a call that V8 was told to end says
/// nothing. None, and no call, when a text is longer than V8's longest string.
pub fn call(runtime: &mut JsRuntime, door: &v8::Global<v8::Function>, texts: &[&str]) -> Option<()> {
    deno_core::scope!(scope, runtime);
    v8::tc_scope!(let scope, scope);
    let text = |text: &&str| v8::String::new(scope, text).map(v8::Local::<v8::Value>::from);
    let arguments = texts.iter().map(text).collect::<Option<Vec<_>>>()?;
    let this = v8::undefined(scope).into();
    let _ = door.open(scope).call(scope, this, &arguments);
    Some(())
}

/// Tells the guest what came from the supervisor.
pub fn deliver(runtime: &mut JsRuntime, door: &v8::Global<v8::Function>, delivery: Delivery) {
    let (kind, stream, text, bytes) = match delivery {
        Delivery::Answer { stream, head } => (0, stream, head, Vec::new()),
        Delivery::Piece { stream, bytes, last: false } => (1, stream, String::new(), bytes),
        Delivery::Piece { stream, bytes, last: true } => (2, stream, String::new(), bytes),
        Delivery::Want { stream } => (3, stream, String::new(), Vec::new()),
        Delivery::Broken { stream, message } => (4, stream, message, Vec::new()),
    };
    let length = bytes.len();
    runtime.op_state().borrow_mut().put(wire::Incoming(bytes));
    deno_core::scope!(scope, runtime);
    v8::tc_scope!(let scope, scope);
    let Some(text) = v8::String::new(scope, &text) else { return };
    let number = |n: f64| v8::Number::new(scope, n).into();
    let arguments = [number(f64::from(kind)), number(f64::from(stream)), text.into(), number(length as f64)];
    let this = v8::undefined(scope).into();
    let _ = door.open(scope).call(scope, this, &arguments);
}

/// How long until the next timer of the guest is due; none when there is none. For a guest that waits.
pub fn next_timer(runtime: &mut JsRuntime, door: &v8::Global<v8::Function>) -> Option<Duration> {
    deno_core::scope!(scope, runtime);
    v8::tc_scope!(let scope, scope);
    let this = v8::undefined(scope).into();
    let due = door.open(scope).call(scope, this, &[])?.number_value(scope)?;
    (due >= 0.0).then(|| Duration::from_secs_f64(due / 1000.0))
}

/// Gives the realm's ops the host of the run that begins.
pub fn open(runtime: &mut JsRuntime, port: PortBox) {
    let state = runtime.op_state();
    let mut state = state.borrow_mut();
    state.put(clock::Clock::start());
    state.put(port);
}

fn refuse_attributes(
    scope: &mut v8::PinScope,
    attributes: &std::collections::HashMap<String, String>,
    _: &deno_core::ImportAttributesContext,
) {
    if attributes.is_empty() {
        return;
    }
    if let Some(message) = v8::String::new(scope, "import attributes are not available: import modules only, and read data with JSON.parse")
    {
        let error = v8::Exception::type_error(scope, message);
        scope.throw_exception(error);
    }
}
