//! Searches for values, kept from run to run: building one takes 0.1 ms for a common value and 20 ms for the longest, and runs of one profile look for
//! the same values.

use super::net::{Case, Net};
use super::scrub::Hidden;
use super::spell::Spellings;
use super::value::Value;
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Most searches that are kept; the oldest goes first. As many as an installation has profiles with secrets, and then some.
const KEPT_MAX: usize = 32;

/// The searches that were built.
#[derive(Default)]
pub(super) struct Cache(Mutex<Vec<Kept>>);

/// One of them. It goes when a value of its own is no longer in force and no run has it.
struct Kept {
    values: Vec<(String, Weak<Value>)>,
    hidden: Arc<Hidden>,
}

impl Kept {
    fn is_for(&self, values: &[(&str, &Arc<Value>)]) -> bool {
        let same = |at: usize, (name, value): &(&str, &Arc<Value>)| {
            self.values.get(at).is_some_and(|kept| kept.0 == *name && std::ptr::eq(kept.1.as_ptr(), Arc::as_ptr(value)))
        };
        self.values.len() == values.len() && values.iter().enumerate().all(|(at, value)| same(at, value))
    }

    fn lives(&self) -> bool {
        self.values.iter().all(|(_, value)| value.strong_count() > 0)
    }
}

impl Cache {
    /// The search for `values`, by the names of their secrets.
    pub(super) fn get(&self, values: &[(&str, &Arc<Value>)]) -> Result<Arc<Hidden>, String> {
        if let Some(hidden) = self.find(values) {
            return Ok(hidden);
        }
        // Built without the lock: runs with other values need not wait. Two runs may build the same; both are right.
        let hidden = Arc::new(build(values)?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT_MAX {
            all.remove(0);
        }
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), Arc::downgrade(value))).collect();
        all.push(Kept { values, hidden: Arc::clone(&hidden) });
        Ok(hidden)
    }

    fn find(&self, values: &[(&str, &Arc<Value>)]) -> Option<Arc<Hidden>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(Kept::lives);
        all.iter().find(|kept| kept.is_for(values)).map(|kept| Arc::clone(&kept.hidden))
    }
}

fn build(values: &[(&str, &Arc<Value>)]) -> Result<Hidden, String> {
    let spellings: Vec<Spellings> = values.iter().map(|(_, value)| Spellings::of_value(value.expose())).collect();
    let net = Net::of(&spellings, Case::Different)?;
    let marks = values.iter().map(|(name, _)| Bytes::from(format!("[secret {name}]"))).collect();
    Ok(Hidden { net, marks })
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn value(text: &str) -> Arc<Value> {
        Arc::new(Value::new(Zeroizing::new(text.as_bytes().to_vec())).expect("a value"))
    }

    #[test]
    fn a_search_is_shared_by_runs_with_the_same_values_and_goes_with_them() {
        let cache = Cache::default();
        let (one, two) = (value("first-value"), value("other-value"));
        let first = cache.get(&[("A", &one)]).expect("built");
        assert!(Arc::ptr_eq(&first, &cache.get(&[("A", &one)]).expect("built")));
        for others in [vec![("A", &two)], vec![("B", &one)], vec![("A", &one), ("B", &two)]] {
            assert!(!Arc::ptr_eq(&first, &cache.get(&others).expect("built")));
        }
        drop(one);
        let weak = Arc::downgrade(&first);
        drop(first);
        cache.get(&[("C", &two)]).expect("built");
        assert!(weak.upgrade().is_none(), "nobody has the value, so nobody searches for it");
    }

    #[test]
    fn searches_that_are_kept_have_an_end() {
        let cache = Cache::default();
        let values: Vec<Arc<Value>> = (0..=KEPT_MAX).map(|number| value(&format!("value-{number:04}"))).collect();
        values.iter().for_each(|value| assert!(cache.get(&[("A", value)]).is_ok()));
        assert_eq!(cache.0.lock().expect("the searches").len(), KEPT_MAX);
    }
}
