//! The checked-in description of the API is what the code serves.

/// Set this to write the file anew.
const UPDATE: &str = "UPDATE_OPENAPI";

#[test]
fn openapi_yaml_equals_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.yaml");
    let current = server::http::openapi().unwrap();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(checked_in == current, "openapi.yaml is out of date: run `{UPDATE}=1 make test ONLY=openapi`");
}

#[test]
fn every_schema_that_openapi_yaml_names_is_in_it() {
    let document = server::http::openapi().unwrap();
    let (start, end) = document.split_once("\n  schemas:\n").unwrap();
    let defined = end.lines().filter_map(|line| line.strip_prefix("    ")?.strip_suffix(':'));
    let defined: Vec<&str> = defined.filter(|name| !name.starts_with(' ')).collect();
    let named = |text: &'static str| {
        move |line: &str| line.split_once(text).map(|(_, name)| name.trim_end_matches('\'').to_owned())
    };
    let missing: Vec<String> = [start, end]
        .iter()
        .flat_map(|part| part.lines())
        .filter_map(named("#/components/schemas/"))
        .filter(|name| !defined.contains(&name.as_str()))
        .collect();
    assert!(defined.len() > 20 && missing.is_empty(), "{missing:?}");
}
