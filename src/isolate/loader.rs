//! Modules of the run's artifact, and nothing else.

use super::port::Desk;
use crate::model::ModuleCache;
use crate::model::frame::ReadyModule;
use bytes::Bytes;
use cordon_ops::capability::Capability;
use deno_core::error::ModuleLoaderError;
use deno_core::{
    ModuleLoadOptions, ModuleLoadReferrer, ModuleLoadResponse, ModuleLoader, ModuleSource, ModuleSourceCode, ModuleSpecifier, ModuleType,
    ResolutionKind, SourceCodeCacheInfo,
};
use deno_error::JsErrorBox;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::Pin;
use std::rc::Rc;

/// The private scheme of module specifiers: `artifact:/` and the module's name.
pub(super) const SCHEME: &str = "artifact:/";

/// The specifier of the module `name`.
pub(super) fn specifier(name: &str) -> String {
    format!("{SCHEME}{name}")
}

/// Serves the modules of one run.
#[derive(Default)]
pub(super) struct ArtifactLoader {
    modules: RefCell<HashMap<String, ReadyModule>>,
    caches: RefCell<HashMap<String, Bytes>>,
    desk: RefCell<Option<Rc<Desk>>>,
}

impl ArtifactLoader {
    /// Takes the modules of the run that begins, what they were compiled to, and whom to tell of refusals.
    pub(super) fn fill(&self, modules: Vec<ReadyModule>, caches: Vec<ModuleCache>, desk: Rc<Desk>) {
        *self.caches.borrow_mut() = caches.into_iter().map(|cache| (specifier(&cache.module), cache.bytes)).collect();
        *self.modules.borrow_mut() = modules.into_iter().map(|module| (specifier(&module.name), module)).collect();
        *self.desk.borrow_mut() = Some(desk);
    }

    /// The source map of a script, by its specifier.
    pub(super) fn source_map(&self, script: &str) -> Option<String> {
        self.modules.borrow().get(script)?.source_map.clone()
    }

    /// What the module of this specifier was compiled to. A module is loaded once.
    fn cache_of(&self, specifier: &str) -> Option<SourceCodeCacheInfo> {
        let bytes = self.caches.borrow_mut().remove(specifier)?;
        // The hash is for loaders that keep caches by it.
        Some(SourceCodeCacheInfo { hash: 0, data: Some(Cow::Owned(bytes.into())) })
    }

    /// The specifier of one of the artifact's own modules, as `text` names it from `referrer`; none when it names anything else.
    /// A query or a fragment would load the same module again under another name, without end.
    fn own(&self, text: &str, referrer: &str) -> Option<ModuleSpecifier> {
        let relative = text.starts_with("./") || text.starts_with("../");
        let url = match relative {
            true => ModuleSpecifier::parse(referrer).ok()?.join(text).ok()?,
            false => ModuleSpecifier::parse(text).ok()?,
        };
        self.modules.borrow().contains_key(url.as_str()).then_some(url)
    }
}

/// The error of a module that is not the artifact's own. Its class is one that `js/guard.js` brands.
fn refused() -> ModuleLoaderError {
    JsErrorBox::new("CordonModuleRefused", refusal_text())
}

/// The message of the error that a refused import rejects with.
pub(super) fn refusal_text() -> String {
    let refusal = Capability::Module.refuse("");
    format!("{}: {}", refusal.reason, refusal.remediation)
}

impl ModuleLoader for ArtifactLoader {
    fn resolve(&self, text: &str, referrer: &str, _kind: ResolutionKind) -> Result<ModuleSpecifier, ModuleLoaderError> {
        self.own(text, referrer).ok_or_else(|| {
            if let Some(desk) = self.desk.borrow().as_ref() {
                desk.refuse(Capability::Module.refuse(text));
            }
            refused()
        })
    }

    /// Asking is no import, so it leaves no denial.
    fn import_meta_resolve(&self, text: &str, referrer: &str) -> Result<ModuleSpecifier, ModuleLoaderError> {
        self.own(text, referrer).ok_or_else(refused)
    }

    fn load(&self, specifier: &ModuleSpecifier, _: Option<&ModuleLoadReferrer>, _: ModuleLoadOptions) -> ModuleLoadResponse {
        let modules = self.modules.borrow();
        let source = modules.get(specifier.as_str()).map(|module| {
            let code = ModuleSourceCode::String(module.code.clone().into());
            ModuleSource::new(ModuleType::JavaScript, code, specifier, self.cache_of(specifier.as_str()))
        });
        ModuleLoadResponse::Sync(source.ok_or_else(refused))
    }

    /// Called when V8 did not take the cache of a module, with one that is made of what was compiled instead. That one goes nowhere.
    fn code_cache_ready(&self, _: ModuleSpecifier, _: u64, _: &[u8]) -> Pin<Box<dyn Future<Output = ()>>> {
        if let Some(desk) = self.desk.borrow().as_ref() {
            desk.reject_cache();
        }
        Box::pin(std::future::ready(()))
    }

    fn get_source_map(&self, file_name: &str) -> Option<Cow<'_, [u8]>> {
        self.source_map(file_name).map(|map| Cow::Owned(map.into_bytes()))
    }

    /// A map may name the artifact's own modules only.
    fn source_map_source_exists(&self, source_url: &str) -> Option<bool> {
        Some(self.modules.borrow().contains_key(source_url))
    }
}
