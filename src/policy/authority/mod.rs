//! Authorization by Cedar: policies are read from `*.cedar` files, checked against our schema, and asked.
//!
//! Cedar skips a policy that fails while it is evaluated, a `forbid` too, and goes on as if it were not there. Here any error denies.

mod depth;
mod read;
#[cfg(test)]
mod tests;
mod words;

pub use read::PolicyText;

use crate::config::{ConfigErrors, Document, Mistake, Mistakes};
use crate::model::{Action, Ask, Digest, Verdict};
use crate::policy::folder::{Kind, documents_in};
use cedar_policy::{ActionConstraint, AuthorizationError, Authorizer, Decision, Policy, PolicyId, PolicySet};
use read::Found;
use std::fmt;
use std::path::Path;
use words::{Question, Words};

/// The built-in policies: file name and text.
const BUILT_IN: (&str, &str) = ("policies/cordon.cedar", include_str!("../../../policies/cordon.cedar"));

/// The files that policies are.
const FILES: Kind = Kind { ending: "cedar", plural: "policies", most: 256 };

/// The policies of this server, compiled. Share it by `Arc`.
pub struct Authority {
    words: Words,
    authorizer: Authorizer,
    /// For each action, by its number, the policies whose scope it is in: no other can have a say or fail.
    by_action: Vec<PolicySet>,
    texts: Vec<PolicyText>,
    warnings: Vec<Mistake>,
    digest: Digest,
}

impl Authority {
    /// The policies in `folder` (its `*.cedar` files, not those of folders inside it), or the built-in ones when there is no folder or it has none.
    /// Every policy is checked against the schema, strictly, and has an id of its own by `@id("…")`. Blocks while files are read.
    ///
    /// Errors: every mistake in the operator's files at once.
    pub fn load(folder: Option<&Path>) -> Result<Self, ConfigErrors> {
        let words = Words::new().map_err(|error| defect("policies/cordon.cedarschema", &error))?;
        let mistakes = Mistakes::default();
        let mut documents: Vec<Document> =
            folder.map(|folder| documents_in(folder, &FILES, &mistakes)).unwrap_or_default().into_iter().map(|(_, file)| file).collect();
        if documents.is_empty() && mistakes.count() == 0 {
            documents.push(Document::new(BUILT_IN.0, BUILT_IN.1));
        }
        let found = read::read(&documents, &words.schema, &mistakes);
        let found = mistakes.none_or(found)?;
        Self::of(words, found, digest(&documents)).map_err(|error| defect("(policies)", &error).into())
    }

    fn of(words: Words, found: Found, digest: Digest) -> Result<Self, String> {
        let set = |action: Action| {
            let policies = found.policies.iter().map(|(policy, _)| policy).filter(|policy| speaks_of(policy, action, &words)).cloned();
            PolicySet::from_policies(policies).map_err(|error| error.to_string())
        };
        let by_action = Action::ALL.into_iter().map(set).collect::<Result<_, _>>()?;
        let texts = found.policies.into_iter().map(|(_, text)| text).collect();
        Ok(Self { words, authorizer: Authorizer::new(), by_action, texts, warnings: found.warnings, digest })
    }

    /// The digest over the names and texts of the files: the revision of the policies in decision logs.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What the policies say to `ask`. Never fails: an error anywhere denies, and is told.
    pub fn decide(&self, ask: &Ask<'_>) -> Verdict {
        match (self.words.question(ask), self.by_action.get(ask.action as usize)) {
            (Ok(question), Some(policies)) => self.answer(&question, policies),
            (Err(error), _) => Verdict { allowed: false, policies: Vec::new(), errors: vec![error] },
            (Ok(_), None) => Verdict { allowed: false, policies: Vec::new(), errors: vec![format!("no policies for {}", ask.action)] },
        }
    }

    fn answer(&self, question: &Question, policies: &PolicySet) -> Verdict {
        let response = self.authorizer.is_authorized(&question.request, policies, &question.entities);
        let (permitted, diagnostics) = (response.decision() == Decision::Allow, response.diagnostics());
        let mut errors: Vec<String> = diagnostics.errors().map(ToString::to_string).collect();
        // INVARIANT (errors deny): a policy that failed may be the `forbid` that was meant for this question.
        let allowed = permitted && errors.is_empty();
        let determined = diagnostics.reason().filter(|_| permitted == allowed);
        let mut ids: Vec<String> = determined.chain(diagnostics.errors().map(failed)).map(ToString::to_string).collect();
        ids.sort_unstable();
        errors.sort_unstable();
        Verdict { allowed, policies: ids, errors }
    }

    /// The ids of all policies, in the order of files and lines.
    pub fn policy_ids(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| text.id.as_str())
    }

    /// All policies as they are written, in the order of files and lines.
    pub fn policies(&self) -> &[PolicyText] {
        &self.texts
    }

    /// What the validator finds odd and does not refuse: policies that can never apply, misleading characters.
    pub fn warnings(&self) -> &[Mistake] {
        &self.warnings
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("digest", &self.digest).field("policies", &self.texts.len()).finish_non_exhaustive()
    }
}

/// The policy that failed.
fn failed(error: &AuthorizationError) -> &PolicyId {
    match error {
        AuthorizationError::PolicyEvaluationError(error) => error.policy_id(),
    }
}

/// True when `action` is in the scope of `policy`. The schema has no groups of actions, so a list in a scope names each that it means.
fn speaks_of(policy: &Policy, action: Action, words: &Words) -> bool {
    let name = words.action(action);
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(one) => one == *name,
        ActionConstraint::In(several) => several.contains(name),
    }
}

fn digest(documents: &[Document]) -> Digest {
    let file_name = |document: &Document| Path::new(document.name()).file_name().map(|name| name.to_string_lossy().into_owned());
    let parts: Vec<(String, &str)> = documents.iter().map(|file| (file_name(file).unwrap_or_default(), file.text())).collect();
    Digest::of_parts(parts.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]))
}

/// A mistake that no operator can have made.
fn defect(file: &str, error: &str) -> Mistake {
    Mistake::of(file, error, "report this as a defect")
}
