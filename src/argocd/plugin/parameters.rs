//! What a plugin source asks for, as Argo CD hands it on (argocd.md section 1.4).
//!
//! `ARGOCD_APP_PARAMETERS` is a JSON list, the word `null` where a plugin block has no parameters, or not there at all.
//! `PARAM_*` says the same in a form that loses letters and order, and is not looked at. `ARGOCD_ENV_*` counts only
//! where the parameters ask for nothing, so that two ways of asking never mix.

use serde::Deserialize;
use serde_json::Value;

use super::{CLUSTER, ENV, INSTANCE, NAMESPACES, RELEASE, VERSION};
use crate::diag::nearest;

/// Every parameter that there is.
const ALL: [&str; 6] = [INSTANCE, ENV, CLUSTER, RELEASE, NAMESPACES, VERSION];

/// What was given, not yet looked up in a repository. An empty text is as good as none: a form sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    pub instance: Option<String>,
    pub env: Option<String>,
    pub cluster: Option<String>,
    pub release: Option<String>,
    pub namespaces: bool,
    /// The version of hlgen that wrote the source.
    pub version: Option<String>,
}

/// Where parameters come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// `ARGOCD_APP_PARAMETERS`.
    pub parameters: Option<String>,
    /// `ARGOCD_ENV_*`: the rest of the name and the value.
    pub variables: Vec<(String, String)>,
}

/// Why parameters cannot be read. The texts are shown in Argo CD's UI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    // Without what stands there, which could be anything.
    #[error("`ARGOCD_APP_PARAMETERS` is not the list that Argo CD writes (line {0}, column {1})")]
    Json(usize, usize),
    #[error("there is no parameter `{name}`; {}", known(.name))]
    Unknown { name: String },
    #[error("parameter `{name}` is a {shape}, a text is expected; write it as `string:`")]
    Shape { name: String, shape: &'static str },
    #[error("parameter `{0}` is given twice")]
    Twice(String),
    #[error("parameter `namespaces` is `true` or `false`, not `{0}`")]
    Flag(String),
}

fn known(name: &str) -> String {
    match nearest(name, ALL) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let all = ALL.map(|name| format!("`{name}`")).join(", ");
            format!("there are {all}; if a newer hlgen wrote this source, update the sidecar's image first")
        }
    }
}

#[derive(Debug, Deserialize)]
struct Announced {
    name: String,
    string: Option<String>,
    array: Option<Vec<Value>>,
    map: Option<serde_json::Map<String, Value>>,
}

impl Parameters {
    /// Reads what Argo CD gave.
    ///
    /// # Errors
    /// What cannot be read, or means nothing.
    pub fn read(given: &Given) -> Result<Self, ParametersError> {
        let mut read = Self::default();
        let text = given.parameters.as_deref().map_or("null", str::trim);
        let text = if text.is_empty() { "null" } else { text };
        let list: Option<Vec<Announced>> =
            serde_json::from_str(text).map_err(|error| ParametersError::Json(error.line(), error.column()))?;
        let mut seen: Vec<String> = Vec::new();
        for Announced { name, string, array, map } in list.into_iter().flatten() {
            let shape = |shape| ParametersError::Shape { name: name.clone(), shape };
            if array.is_some_and(|array| !array.is_empty()) {
                return Err(shape("list"));
            }
            if map.is_some_and(|map| !map.is_empty()) {
                return Err(shape("map"));
            }
            read.set(&name, string.as_deref().unwrap_or_default())?;
            if seen.contains(&name) {
                return Err(ParametersError::Twice(name));
            }
            seen.push(name);
        }
        if read.asks_for_nothing() {
            for (name, value) in &given.variables {
                // Somebody's other variables are none of ours.
                if let Some(name) = ALL.iter().find(|known| known.eq_ignore_ascii_case(name)) {
                    read.set(name, value)?;
                }
            }
        }
        Ok(read)
    }

    /// Whether nothing says what to print.
    pub fn asks_for_nothing(&self) -> bool {
        let Self { instance, env, cluster, release, namespaces, version: _ } = self;
        [instance, env, cluster, release].into_iter().all(Option::is_none) && !namespaces
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ParametersError> {
        let value = value.trim();
        let text = Some(value.to_owned()).filter(|value| !value.is_empty());
        match name {
            INSTANCE => self.instance = text,
            ENV => self.env = text,
            CLUSTER => self.cluster = text,
            RELEASE => self.release = text,
            VERSION => self.version = text,
            NAMESPACES => {
                self.namespaces = match value {
                    "true" => true,
                    "" | "false" => false,
                    other => return Err(ParametersError::Flag(other.to_owned())),
                }
            }
            _ => return Err(ParametersError::Unknown { name: name.to_owned() }),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parameters: Option<&str>, variables: &[(&str, &str)]) -> Result<Parameters, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let given = Given { parameters: parameters.map(str::to_owned), variables };
        Parameters::read(&given).map_err(|error| error.to_string())
    }

    #[test]
    fn every_shape_of_nothing_is_nothing() {
        for nothing in [None, Some("null"), Some("[]"), Some(""), Some(" null\n")] {
            assert_eq!(read(nothing, &[]), Ok(Parameters::default()), "{nothing:?}");
        }
        let blank = r#"[{"name":"cluster","string":""},{"array":[],"map":{},"name":"release"},{"name":"env"}]"#;
        assert_eq!(read(Some(blank), &[]), Ok(Parameters::default()));
    }

    #[test]
    fn texts_are_taken_as_argo_cd_writes_them() {
        let json = r#"[{"name":"cluster","string":"a\u003cb"},{"array":[],"name":"release","string":"web"},
            {"name":"namespaces","string":"true"},{"name":"version","string":"0.1.0"}]"#;
        let expected = Parameters {
            cluster: Some("a<b".to_owned()),
            release: Some("web".to_owned()),
            namespaces: true,
            version: Some("0.1.0".to_owned()),
            ..Parameters::default()
        };
        assert_eq!(read(Some(json), &[]), Ok(expected));
    }

    #[test]
    fn variables_count_where_parameters_ask_for_nothing() {
        let variables = [("CLUSTER", "one"), ("release", "web"), ("OTHER", "x"), ("VERSION", "9")];
        let version = r#"[{"name":"version","string":"0.1.0"}]"#;
        for parameters in [None, Some("null"), Some(version)] {
            let found = read(parameters, &variables).unwrap();
            assert_eq!((found.cluster, found.release), (Some("one".to_owned()), Some("web".to_owned())));
        }
        let found = read(Some(r#"[{"name":"env","string":"dev"}]"#), &variables).unwrap();
        assert_eq!(found, Parameters { env: Some("dev".to_owned()), ..Parameters::default() });
    }

    #[test]
    fn what_means_nothing_is_said_by_its_name() {
        let error = |json: &str| read(Some(json), &[]).unwrap_err();
        assert_eq!(
            error(r#"[{"name":"clster","string":"x"}]"#),
            "there is no parameter `clster`; did you mean `cluster`?"
        );
        assert_eq!(
            error(r#"[{"name":"zzz","string":"x"}]"#),
            "there is no parameter `zzz`; there are `instance`, `env`, `cluster`, `release`, `namespaces`, `version`; if a newer hlgen wrote this source, update the sidecar's image first"
        );
        let list = error(r#"[{"name":"cluster","array":["x"]}]"#);
        assert_eq!(list, "parameter `cluster` is a list, a text is expected; write it as `string:`");
        assert!(error(r#"[{"name":"env","map":{"a":"b"},"string":"x"}]"#).contains("is a map"));
        assert!(error(r#"[{"name":"env","string":"a"},{"name":"env","string":"a"}]"#).contains("given twice"));
        assert!(error(r#"[{"name":"namespaces","string":"yes"}]"#).contains("not `yes`"));
        for broken in ["{", "{}", "[1]", "[{}]", "true"] {
            assert!(error(broken).starts_with("`ARGOCD_APP_PARAMETERS` is not the list"), "{broken}");
        }
    }
}
