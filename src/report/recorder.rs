//! Installs what records the metrics, and measures what is only measured when somebody looks.

use ::metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::{account, descriptions, metrics::*, stages};
use crate::clock;

/// Installs the recorder; what is counted before is lost.
///
/// # Errors
/// A recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
    const MESSAGES: [f64; 10] = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 2000.0, 3000.0, 4096.0];
    const STAGE: [f64; 14] = [
        0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
    ];
    const RUN: [f64; 10] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 43200.0];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(COMMIT_SECONDS.into()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(COMMIT_MESSAGES.into()), &MESSAGES)?
        .set_buckets_for_metric(Matcher::Full(BACKPRESSURE_SECONDS.into()), &STAGE)?
        .set_buckets_for_metric(Matcher::Full(STAGE_SECONDS.into()), &STAGE)?
        .set_buckets_for_metric(Matcher::Full(SEARCH_WORK.into()), &STAGE)?
        .set_buckets_for_metric(Matcher::Full(SEARCH_SECONDS.into()), &STAGE)?
        .set_buckets_for_metric(Matcher::Full(RUN_SECONDS.into()), &RUN)?
        .install_recorder()?;
    descriptions::describe();
    metrics_process::Collector::default().describe();
    stages::install();
    gauge!(BUILD_INFO, "version" => crate::version::version()).set(1.0);
    // Named before anything happens, so that a rate over them is 0 and not absent.
    counter!(FILINGS).absolute(0);
    counter!(DIRECTORY_ERRORS).absolute(0);
    for kind in ["mail", "webhook"] {
        for result in ["sent", "failed"] {
            counter!(NOTIFICATIONS, "kind" => kind, "result" => result).absolute(0);
        }
    }
    for thread in THREADS {
        counter!(PANICS, "thread" => thread).absolute(0);
    }
    gauge!(INFLIGHT_BYTES).set(0.0);
    for stage in WAITS {
        let _ = histogram!(BACKPRESSURE_SECONDS, "stage" => stage);
    }
    for stage in ERROR_STAGES {
        counter!(ERRORS, "stage" => stage).absolute(0);
    }
    for result in ["taken", "refused"] {
        counter!(RELOADS, "result" => result).absolute(0);
    }
    for outcome in LOGIN_OUTCOMES {
        counter!(LOGINS, "outcome" => outcome).absolute(0);
    }
    // That there are none yet is shown, too.
    counter!(HTTP_REQUESTS, "route" => "/api/v1/session", "code" => "201").absolute(0);
    gauge!(CONFIGURATION_OK).set(1.0);
    ready(false);
    gauge!(START).set(clock::now().as_second() as f64);
    before_scrape();
    Ok(handle)
}

/// Sets what is measured only when somebody looks.
pub fn before_scrape() {
    metrics_process::Collector::default().collect();
    stages::measure();
    gauge!(UNACCOUNTED_COPIES).set(account::unaccounted() as f64);
}
