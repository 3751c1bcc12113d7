//! The realm: an isolate with the Web APIs, Cordon's own scripts and no way back to the host but its ops.

use crate::console::PortBox;
use crate::memory::{self, Account};
use crate::{clock, console, embedded, finish, guard, interrupt, random};
use deno_core::{Extension, JsRuntime, ModuleLoader, OpDecl, RuntimeOptions, op2, v8};
use deno_error::JsErrorBox;
use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

/// Ops of deno_core and the Web API crate that the realm's scripts need. Every other one throws.
/// Source: what each embedded script takes from `core.ops`; the surface test and the whole test suite would miss one.
const KEPT: &[&str] = &[
    "op_add",
    "op_base64_atob",
    "op_base64_btoa",
    "op_base64_decode",
    "op_base64_encode_from_buffer",
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
    "op_preview_entries",
    "op_ref_op",
    "op_run_microtasks",
    "op_serialize",
    "op_set_captured_bootstrap",
    "op_str_byte_length",
    "op_structured_clone",
    "op_timer_now",
    "op_timer_schedule",
    "op_timer_track",
    "op_timer_untrack",
    "op_unref_op",
    "op_url_get_serialization",
    "op_url_parse",
    "op_url_parse_search_params",
    "op_url_parse_with_base",
    "op_url_reparse",
    "op_url_stringify_search_params",
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

/// The realm's two doors from the host.
pub struct Entry {
    /// Sets what differs between sibling cells: seeds and clocks.
    pub arm: v8::Global<v8::Function>,
    /// Runs one run: `(main, entrypoint, input, vars, run)`.
    pub invoke: v8::Global<v8::Function>,
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
    let own = Extension {
        name: "cordon",
        lazy_loaded_js_files: Cow::Owned(embedded::sources(embedded::OWN, "ext:cordon/")),
        middleware_fn: Some(Box::new(tame)),
        ..Default::default()
    };
    vec![
        webidl,
        web,
        random::cordon_random::init(),
        console::cordon_console::init(),
        guard::cordon_guard::init(),
        finish::cordon_finish::init(),
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
    Ok(Entry { arm: function("arm").ok_or(RealmError::Entry("arm"))?, invoke: function("invoke").ok_or(RealmError::Entry("invoke"))? })
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
