//! What a monitoring system reads, in the text format of OpenMetrics.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Named {
    gallery: String,
}

/// Counters of a server.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    seconds: Family<Route, Histogram>,
    queue: Gauge,
    pictures: Family<Named, Gauge>,
    texts: Family<Named, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        // From 1 ms to 16 s.
        let histogram = || Histogram::new(exponential_buckets(0.001, 2.0, 15));
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            queue: Gauge::default(),
            pictures: Family::default(),
            texts: Family::default(),
        };
        let Self {
            registry,
            requests,
            seconds,
            queue,
            pictures,
            texts,
        } = &mut metrics;
        registry.register(
            "tuwen_requests",
            "Requests that were answered",
            requests.clone(),
        );
        registry.register(
            "tuwen_request_seconds",
            "Time from request to answer",
            seconds.clone(),
        );
        registry.register(
            "tuwen_queue",
            "Searches that are computed or wait",
            queue.clone(),
        );
        registry.register("tuwen_pictures", "Pictures of a gallery", pictures.clone());
        registry.register("tuwen_texts", "Texts of a gallery", texts.clone());
        metrics
    }
}

impl Metrics {
    pub fn answered(&self, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.seconds
            .get_or_create(&Route {
                route: route.clone(),
            })
            .observe(took.as_secs_f64());
        self.requests
            .get_or_create(&Request { route, status })
            .inc();
    }

    pub fn set_queue(&self, depth: usize) {
        self.queue.set(depth as i64);
    }

    pub fn set_gallery(&self, name: &str, pictures: usize, texts: usize) {
        let named = Named {
            gallery: name.to_owned(),
        };
        self.pictures.get_or_create(&named).set(pictures as i64);
        self.texts.get_or_create(&named).set(texts as i64);
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to memory does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
