//! Every route is documented, every documented route answers, and the committed document
//! is the one that the code makes.

use std::path::Path;

use serde_json::Value;

use super::ask;

const ID: &str = "host-aaaaaaaaaaaaaaaaaaaaaaaa";

async fn document() -> Value {
    let (status, text) = ask("GET", "/v1/openapi.json", "").await;
    assert_eq!(status, 200);
    serde_json::from_str(&text).unwrap()
}

/// A body that the route takes.
fn body(schema: &str) -> &'static str {
    match schema {
        "RecordEdit" => r#"{"fields":{"rooms":"2"},"replicated":true}"#,
        "FallenDecision" => r#"{"document":"rematching-pool/E08000021","action":"preview"}"#,
        "ReaderDecision" => r#"{"reader":"E08000021","accept":true}"#,
        "HomeDecision" => r#"{"action":"offer","council":"E08000021"}"#,
        "CaseDecision" => r#"{"action":"hold","hours":24}"#,
        "Split" => r#"{"into":[{"people":"2"},{"people":"1"}]}"#,
        "NewCase" => r#"{"request":"r","places":["p"]}"#,
        "Search" => r#"{"fields":{"people":"2"}}"#,
        "RosterOffer" => r#"{"text":"-----BEGIN"}"#,
        other => panic!("no body for {other}"),
    }
}

#[tokio::test]
async fn every_documented_route_answers_as_documented() {
    let document = document().await;
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            let mut url = path.replace("{kind}", "host").replace("{id}", ID);
            if path.starts_with("/v1/import") {
                url += "?file_name=hosts.csv";
            }
            let json = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let sent = json
                .as_str()
                .map_or("", |r| body(r.rsplit('/').next().unwrap()));
            let (status, text) = ask(&method, &url, sent).await;
            assert!(status.is_success(), "{method} {path}: {status} {text}");
            let answers = operation["responses"].as_object().unwrap();
            assert!(
                answers.contains_key(status.as_str()),
                "{method} {path}: {status}"
            );
            routes.push(format!("{method} {path}"));
        }
    }
    routes.sort();
    // The promise to scripts: none of these goes away or moves.
    let promised = [
        "GET /v1/alarms",
        "GET /v1/case/{id}",
        "GET /v1/cases",
        "GET /v1/checks",
        "GET /v1/documents",
        "GET /v1/events",
        "GET /v1/fallen",
        "GET /v1/health",
        "GET /v1/history/{id}",
        "GET /v1/homes",
        "GET /v1/indicators",
        "GET /v1/interests",
        "GET /v1/openapi.json",
        "GET /v1/peers",
        "GET /v1/readers",
        "GET /v1/readiness",
        "GET /v1/record/{id}",
        "GET /v1/records/{kind}",
        "GET /v1/roster",
        "GET /v1/status",
        "GET /v1/suggestions",
        "GET /v1/suggestions/{id}",
        "GET /v1/template/{kind}",
        "GET /v1/vouching",
        "PATCH /v1/record/{id}",
        "POST /v1/case/{id}",
        "POST /v1/cases",
        "POST /v1/fallen",
        "POST /v1/home/{id}",
        "POST /v1/import/{kind}",
        "POST /v1/readers",
        "POST /v1/record/{id}/split",
        "POST /v1/records/{kind}",
        "POST /v1/roster",
        "POST /v1/search",
    ];
    assert_eq!(routes, promised);
}

#[tokio::test]
async fn what_is_not_documented_is_not_there() {
    let document = document().await;
    for (path, item) in document["paths"].as_object().unwrap() {
        let url = path.replace("{kind}", "host").replace("{id}", ID);
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if item.get(method.to_lowercase()).is_none() {
                let (status, text) = ask(method, &url, "").await;
                assert_eq!(status, 405, "{method} {path}");
                assert!(
                    text.contains("method_not_allowed"),
                    "{method} {path}: {text}"
                );
            }
        }
    }
}

#[tokio::test]
async fn every_schema_that_is_named_is_there() {
    fn refs(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|inner| refs(inner, found));
            }
            Value::Array(list) => list.iter().for_each(|inner| refs(inner, found)),
            _ => {}
        }
    }
    let document = document().await;
    let mut found = Vec::new();
    refs(&document, &mut found);
    assert!(found.len() > 20, "only {}", found.len());
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn the_committed_document_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let (_, text) = ask("GET", "/v1/openapi.json", "").await;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "docs/openapi.json is not what the code makes; run `UPDATE_DOCS=1 cargo test -p smp-node \
         --lib committed_document`"
    );
}

#[tokio::test]
async fn the_parameters_of_an_import_reach_the_node() {
    let url = "/v1/import/host?file_name=a%20b.csv&dry_run=true&complete=true&replicated=true";
    let (_, text) = ask("POST", url, "12345").await;
    let report: Value = serde_json::from_str(&text).unwrap();
    let said = (
        &report["file"],
        &report["rows"],
        &report["applied"],
        &report["held_by"],
    );
    assert_eq!(
        said,
        (&"a b.csv".into(), &5.into(), &false.into(), &3.into())
    );
}

#[tokio::test]
async fn personal_fields_come_only_when_asked_for() {
    for (query, there) in [
        ("", false),
        ("?personal=false", false),
        ("?personal=true", true),
    ] {
        let (_, text) = ask("GET", &format!("/v1/record/{ID}{query}"), "").await;
        assert_eq!(text.contains("\"personal\""), there, "{query}: {text}");
    }
}
