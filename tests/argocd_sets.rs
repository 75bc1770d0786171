//! Folding Applications into an `ApplicationSet` and expanding it again gives the same Applications, whatever they
//! hold.

#![allow(clippy::unwrap_used)] // a test may

#[path = "argocd/applications.rs"]
mod applications;

use hlgen::argocd::expand::expand;
use hlgen::argocd::set::{Element, factor};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn expand_undoes_factor(elements in applications::elements()) {
        let set = factor("app", "argocd", &elements, &applications::PATTERNS, None).unwrap();
        let expected: Vec<_> = elements.iter().map(|element: &Element| element.application.clone()).collect();
        prop_assert_eq!(expand(&set).unwrap(), expected, "{}", serde_json::to_string_pretty(&set).unwrap());
    }

    #[test]
    fn the_set_survives_its_text(elements in applications::elements()) {
        let set = factor("app", "argocd", &elements, &applications::PATTERNS, None).unwrap();
        let text = serde_json::to_string(&set).unwrap();
        prop_assert_eq!(serde_json::from_str::<hlgen::argocd::ApplicationSet>(&text).unwrap(), set);
    }
}
