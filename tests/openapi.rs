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
