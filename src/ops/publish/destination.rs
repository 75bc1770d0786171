//! Where things are published to: each repository, branch and folder that an Argo CD instance reads.

use crate::io::git::commit::Files;
use crate::io::git::remote::RemoteError;
use crate::io::git::url::RemoteUrl;
use crate::plan::Plan;

/// A folder of a branch of a repository, and the instances that read it.
#[derive(Debug, Clone)]
pub struct Destination {
    pub url: RemoteUrl,
    pub branch: String,
    pub path: String,
    /// Indices of the instances; all of them where there is one destination.
    instances: Vec<usize>,
    is_only: bool,
}

/// All destinations, in the order of the instances.
///
/// # Errors
/// Where an address is none that can be pushed to.
pub(super) fn all(plan: &Plan) -> Result<Vec<Destination>, RemoteError> {
    let mut all: Vec<Destination> = Vec::new();
    for (index, instance) in plan.instances.iter().enumerate() {
        let git = &instance.git;
        let url = RemoteUrl::parse(git.push_url.as_ref().unwrap_or(&git.repo_url))?;
        let same = all.iter_mut().find(|to| to.url == url && to.branch == git.branch && to.path == git.path);
        match same {
            Some(to) => to.instances.push(index),
            None => {
                let (branch, path) = (git.branch.clone(), git.path.clone());
                all.push(Destination { url, branch, path, instances: vec![index], is_only: false });
            }
        }
    }
    if let [only] = all.as_mut_slice() {
        only.is_only = true;
    }
    Ok(all)
}

impl Destination {
    /// The rendered files that the instances of this destination read: their own, and those of their clusters.
    pub fn files<'f>(&self, plan: &Plan, files: &'f Files) -> std::borrow::Cow<'f, Files> {
        if self.is_only {
            return std::borrow::Cow::Borrowed(files);
        }
        let is_read = |path: &str| {
            let mut parts = path.split('/');
            let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            if first == "argocd" {
                return self.instances.iter().any(|index| plan.instances[*index].name.as_str() == second);
            }
            plan.clusters
                .iter()
                .any(|cluster| cluster.name.as_str() == first && self.instances.contains(&cluster.instance))
        };
        let own = files.iter().filter(|(path, _)| is_read(path));
        std::borrow::Cow::Owned(own.map(|(path, content)| (path.clone(), content.clone())).collect())
    }
}
