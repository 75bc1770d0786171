//! Gitea's own description of its API as a judge: a path, a parameter, a field or a status that is not in it is a fault,
//! whether of the client or of the stand-in.

use serde_json::Value;

/// `gitea-swagger.json` (Swagger 2.0), where this machine has it.
#[derive(Debug)]
pub(crate) struct Contract(Value);

/// The description of one operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation<'a> {
    contract: &'a Contract,
    operation: &'a Value,
}

impl Contract {
    #[expect(clippy::disallowed_methods, reason = "tests")]
    pub(crate) fn load() -> Option<Self> {
        let path = crate::support::shared("reference/gitea-swagger.json")?;
        Some(Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()))
    }

    /// The operation of a request, and what is wrong with the request.
    pub(crate) fn request(&self, method: &str, path: &str, query: &str, body: &[u8]) -> Result<Operation<'_>, String> {
        let paths = self.0["paths"].as_object().unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        // A path without a variable wins over one with.
        let found = paths
            .iter()
            .filter(|(template, item)| item.get(method.to_lowercase()).is_some() && is_path(template, &parts))
            .min_by_key(|(template, _)| template.matches('{').count());
        let (template, item) = found.ok_or_else(|| format!("{method} {path} is in no description"))?;
        let operation = &item[method.to_lowercase()];
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let name = pair.split('=').next().unwrap();
            let known = parameters.iter().any(|parameter| parameter["in"] == "query" && parameter["name"] == name);
            if !known {
                return Err(format!("{method} {template} knows no parameter `{name}`"));
            }
        }
        let schema =
            parameters.iter().find(|parameter| parameter["in"] == "body").map(|parameter| &parameter["schema"]);
        match (schema, body.is_empty()) {
            (None, false) => return Err(format!("{method} {template} takes no body")),
            (Some(schema), false) => {
                let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
                self.value(&body, schema, "the request").map_err(|wrong| format!("{method} {template}: {wrong}"))?;
            }
            _ => {}
        }
        Ok(Operation { contract: self, operation })
    }

    /// What is wrong with a value.
    fn value(&self, value: &Value, schema: &Value, place: &str) -> Result<(), String> {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            return self.value(value, &self.0["definitions"][name], &format!("{place} ({name})"));
        }
        // Go writes what is not there as null.
        if value.is_null() {
            return Ok(());
        }
        let is_right = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            _ => true,
        };
        if !is_right {
            return Err(format!("{place} is no {}", schema["type"]));
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            return Err(format!("{place} is {value}, not one of {allowed:?}"));
        }
        if let Some(items) = value.as_array() {
            for item in items {
                self.value(item, &schema["items"], &format!("an entry of {place}"))?;
            }
        }
        for (key, item) in value.as_object().into_iter().flatten() {
            match (schema["properties"].get(key), schema.get("additionalProperties")) {
                (Some(known), _) => self.value(item, known, &format!("`{key}` of {place}"))?,
                (None, Some(any)) if !any.is_boolean() => self.value(item, any, &format!("`{key}` of {place}"))?,
                (None, _) => return Err(format!("{place} has no field `{key}`")),
            }
        }
        Ok(())
    }
}

impl Operation<'_> {
    /// What is wrong with an answer.
    pub(crate) fn answer(&self, status: u16, body: &Value) -> Result<(), String> {
        let id = self.operation["operationId"].as_str().unwrap_or_default();
        let responses = &self.operation["responses"];
        let Some(response) = responses.get(status.to_string()) else {
            // Said of no operation, and answered by all.
            return if status == 401 { Ok(()) } else { Err(format!("{id} does not answer {status}")) };
        };
        let name = response["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        let response = name.map_or(response, |name| &self.contract.0["responses"][name]);
        match response.get("schema") {
            Some(schema) => self.contract.value(body, schema, "the answer").map_err(|wrong| format!("{id}: {wrong}")),
            None => Ok(()),
        }
    }
}

fn is_path(template: &str, parts: &[&str]) -> bool {
    let wanted: Vec<&str> = template.split('/').collect();
    let last = wanted.len() - 1;
    let same = |(at, want): (usize, &&str)| match parts.get(at) {
        Some(part) => want.starts_with('{') && want.ends_with('}') || want == part,
        None => false,
    };
    // The name of a branch at the end may hold slashes.
    let is_open = wanted[last] == "{branch}" && parts.len() >= wanted.len();
    (parts.len() == wanted.len() || is_open) && wanted.iter().enumerate().all(same)
}
