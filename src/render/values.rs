//! `values.yaml`: the merged, evaluated values of a release on a cluster.
//!
//! The releases of an app differ in little: what no template stands below and no layer of one release touches is the same
//! node in all of them, and at the same indentation the same text ([`crate::yaml::emit_value`]). So it is written once and
//! copied after that, as long as it is short.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::{OutFile, marker, release};
use crate::merge::Ref;
use crate::plan::Plan;
use crate::plan::values::{Evaluated, Node};
use crate::resolve::release::ReleaseModel;
use crate::yaml::{self, Behind, Kind};

/// Bytes of a text that is kept. Of a longer one the parts are, so that nothing is kept once for every level around it.
const TEXT_MAX: usize = 2 << 10;

/// Bytes that are kept of one app.
const KEPT_MAX: usize = 256 << 10;

/// Writes the values of the releases of one app.
#[derive(Debug, Default)]
pub struct ValuesFiles {
    /// Where the text of a map or list stands in `kept`.
    known: FxHashMap<Spot, Range<usize>>,
    kept: String,
    /// There will be no second release.
    single: bool,
}

/// A node, the column of its key or dash, and which of the two that is.
type Spot = (Ref, usize, Behind);

impl ValuesFiles {
    /// For so many files.
    pub fn new(files: usize) -> Self {
        Self { single: files < 2, ..Self::default() }
    }

    /// The file of a release on a cluster. `root` is none where no layer sets anything; all trees have one forest.
    pub fn file(
        &mut self,
        plan: &Plan,
        cluster: &str,
        release: &ReleaseModel,
        tree: &Evaluated<'_>,
        root: Option<Ref>,
    ) -> OutFile {
        let subject = format!("{cluster}/{} values", release.name);
        let mut text = marker::line(plan.project.name.as_str(), &subject);
        text.push('\n');
        let head = text.len();
        match root {
            Some(root) if is_filled(tree, root) => self.children(tree, root, 0, false, &mut text),
            Some(root) => yaml::emit(tree, Node::Merged(root), &mut text),
            None => text.push_str("{}\n"),
        }
        debug_assert!(root.is_none_or(|root| {
            let mut plain = String::new();
            yaml::emit(tree, Node::Merged(root), &mut plain);
            plain == text[head..]
        }));
        OutFile { path: format!("{}/values.yaml", release::folder(cluster, release.name.as_str())), text }
    }

    /// What stands behind a key or dash. Maps and lists recurse, as deep as a file may nest.
    fn value(&mut self, tree: &Evaluated<'_>, spot: Spot, out: &mut String) {
        let (node, indent, behind) = spot;
        let forest = tree.forest;
        match forest.kind(node) {
            Kind::Map | Kind::Seq => {}
            Kind::Str if forest.templated(node) => {
                return yaml::emit_value(tree, tree.resolve(node), indent, behind, out);
            }
            kind => {
                return yaml::emit_scalar(yaml::scalar_view(kind, forest.text(node)), indent, behind, out);
            }
        }
        let templated = forest.templated(node);
        if !templated && let Some(range) = self.known.get(&spot) {
            out.push_str(&self.kept[range.clone()]);
            return;
        }
        let start = out.len();
        if is_filled(tree, node) {
            // The first child continues the line of a dash.
            if behind == Behind::Key {
                out.push('\n');
            }
            self.children(tree, node, indent + 2, behind == Behind::Dash, out);
        } else {
            yaml::emit_value(tree, Node::Merged(node), indent, behind, out);
        }
        let (from, text) = (self.kept.len(), &out[start..]);
        if !templated && !self.single && text.len() <= TEXT_MAX && from + text.len() <= KEPT_MAX {
            self.kept.push_str(text);
            self.known.insert(spot, from..self.kept.len());
        }
    }

    /// The entries of a map or the items of a list at a column; with `inline` the first continues a line.
    fn children(&mut self, tree: &Evaluated<'_>, node: Ref, column: usize, inline: bool, out: &mut String) {
        let mut inline = inline;
        for (key, value) in tree.forest.entries(node) {
            yaml::emit_key(tree.forest.key(key), column, std::mem::take(&mut inline), out);
            self.value(tree, (value, column, Behind::Key), out);
        }
        for item in tree.forest.items(node) {
            yaml::emit_dash(column, std::mem::take(&mut inline), out);
            self.value(tree, (item, column, Behind::Dash), out);
        }
    }
}

/// Whether a node is a map or list with something in it.
fn is_filled(tree: &Evaluated<'_>, node: Ref) -> bool {
    tree.forest.entries(node).next().is_some() || tree.forest.items(node).next().is_some()
}
