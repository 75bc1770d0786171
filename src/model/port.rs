//! A port of a pod, as network policies and probes name it: by number, or by the name the container gives it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A port of a pod: `8080`, `metrics`, `53/udp`. Without a transport it is TCP.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PodPort {
    pub port: PortRef,
    pub transport: Transport,
}

/// A port's number or name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PortRef {
    Number(u16),
    Name(String),
}

/// What carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    Tcp,
    Udp,
}

impl Transport {
    /// As Kubernetes spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }
}

impl PodPort {
    pub fn new(number: u16, transport: Transport) -> Self {
        Self { port: PortRef::Number(number), transport }
    }

    /// Reads `8080`, `metrics`, `53/udp`.
    ///
    /// # Errors
    /// What is wrong with the text: a number that is no port, a name that Kubernetes would refuse (at most 15 of a-z,
    /// 0-9 and `-`, with a letter), a transport that is neither `tcp` nor `udp`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (port, transport) = match text.split_once('/') {
            None => (text, Transport::Tcp),
            Some((port, "tcp")) => (port, Transport::Tcp),
            Some((port, "udp")) => (port, Transport::Udp),
            Some((_, other)) => return Err(format!("`{other}` is no transport; write `tcp` or `udp`")),
        };
        let port = match port.parse() {
            Ok(0) => return Err("0 is no port".into()),
            Ok(number) => PortRef::Number(number),
            Err(_) if is_port_name(port) => PortRef::Name(port.to_owned()),
            Err(_) => return Err(format!("`{port}` is no port: write its number, or its name in the container")),
        };
        Ok(Self { port, transport })
    }
}

/// IANA's service names, which Kubernetes asks of ports (`validation.IsValidPortName`).
fn is_port_name(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

impl fmt::Display for PodPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.port {
            PortRef::Number(number) => write!(f, "{number}")?,
            PortRef::Name(name) => f.write_str(name)?,
        }
        if self.transport == Transport::Udp { f.write_str("/udp") } else { Ok(()) }
    }
}

impl Serialize for PodPort {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (&self.port, self.transport) {
            (PortRef::Number(number), Transport::Tcp) => serializer.serialize_u16(*number),
            _ => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for PodPort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a port's number or name was expected")]
        enum Written {
            Number(u16),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for PodPort {
    fn inline_schema() -> bool {
        false
    }

    fn schema_name() -> Cow<'static, str> {
        "PodPort".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A port of a pod: its number or its name, with `/udp` where it is not TCP.",
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": 65535 },
                { "type": "string", "pattern": "^([0-9]{1,5}|[a-z0-9-]{1,15})(/(tcp|udp))?$" },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_or_names() {
        for (text, expected) in [
            ("8080", PodPort::new(8080, Transport::Tcp)),
            ("53/udp", PodPort::new(53, Transport::Udp)),
            ("53/tcp", PodPort::new(53, Transport::Tcp)),
            ("http-metrics", PodPort { port: PortRef::Name("http-metrics".into()), transport: Transport::Tcp }),
        ] {
            assert_eq!(PodPort::parse(text), Ok(expected), "{text}");
        }
        for wrong in ["", "0", "65536", "-a", "a--b", "UPPER", "a-name-of-16-let", "53/sctp", "1.5", "/udp"] {
            assert!(PodPort::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["8080", "\"53/udp\"", "\"metrics\"", "\"dns/udp\""] {
            let port: PodPort = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&port).unwrap(), text);
        }
        assert_eq!(serde_json::from_str::<PodPort>("\"443\"").unwrap(), PodPort::new(443, Transport::Tcp));
    }
}
