//! Logs on stderr, for people or as JSON.

use crate::config::{Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// Caused by the operator's filter.
    #[error(
        "the log filter `{filter}` is not understood: {problem}; write a level such as info, or levels per target such as warn,cordon=debug"
    )]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Logging was set up before in this process.
    #[error("logging is set up already: {0}")]
    Twice(String),
}

/// Sends what `log` lets through to stderr, for the whole process. To be called once.
pub fn init_logging(log: &Log) -> Result<(), LoggingError> {
    let filter = filter(&log.filter)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A stderr that is gone or full must not cost a request: without this the library would panic while telling stderr about it.
    let lines = lines.log_internal_errors(false);
    let done = match log.format {
        LogFormat::Pretty => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    done.map_err(|error| LoggingError::Twice(error.to_string()))
}

fn filter(text: &str) -> Result<EnvFilter, LoggingError> {
    EnvFilter::try_new(text).map_err(|error| LoggingError::Filter { filter: text.to_owned(), problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_configuration_accepts_as_a_filter_is_one_and_nonsense_is_told() {
        for good in ["info", "off", "warn,cordon=debug", "cordon::run=trace,error"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        assert!(matches!(filter("cordon=loud"), Err(LoggingError::Filter { .. })));
    }

    #[test]
    fn logging_is_set_up_once_and_the_second_time_is_told() {
        let log = Log { format: LogFormat::Json, filter: "off".into() };
        assert!(init_logging(&log).is_ok());
        assert!(matches!(init_logging(&Log { format: LogFormat::Pretty, ..log }), Err(LoggingError::Twice(_))));
    }
}
