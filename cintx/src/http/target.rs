//! Where a request goes: the address of an API, parsed once, and the path below it, looked at before it leaves. Ids
//! come as text from outside, and nobody sees an invisible character in one.

use cintx_raw::Request;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::FieldError;
use crate::types::is_invisible;

/// The address of an API. Its path has no slash at its end.
#[derive(Clone, Debug)]
pub(crate) struct BaseUrl(Url);

impl BaseUrl {
    pub(crate) fn new(url: Url) -> Self {
        Self(url)
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// Without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// The address of a target: a path, and a query where there is one. The host is not parsed once more.
    pub(super) fn join(&self, target: &str) -> Url {
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let mut url = self.0.clone();
        match self.0.path().trim_end_matches('/') {
            "" => url.set_path(path),
            base => url.set_path(&[base, path].concat()),
        }
        url.set_query(query);
        url
    }
}

/// What is wrong with the parameters in the path, each by its name.
pub(super) fn path_problems(request: &Request) -> Vec<FieldError> {
    let path = request.target().split('?').next().unwrap_or_default();
    // Most ids have nothing to escape.
    if !path.contains('%') && !path.contains("//") && !path.ends_with('/') {
        return Vec::new();
    }
    let parts = request.operation().path.split('/').zip(path.split('/'));
    parts.filter_map(|(template, part)| problem(template.strip_prefix('{')?.strip_suffix('}')?, part)).collect()
}

fn problem(name: &'static str, part: &str) -> Option<FieldError> {
    let value = percent_decode_str(part).decode_utf8_lossy();
    if value.trim().is_empty() {
        return Some(FieldError::new(name, format!("is {value:?}, expected an id")));
    }
    let is_odd = |char: char| char.is_control() || is_invisible(char);
    let shown = || value.chars().take(80).collect::<String>();
    value
        .contains(is_odd)
        .then(|| FieldError::new(name, format!("is {:?}, expected an id without invisible characters", shown())))
}

#[cfg(all(test, feature = "v2025-12-18"))]
mod tests {
    use cintx_raw::v2025_12_18::operations;

    use super::*;

    fn fields(project: &str, group: &str) -> Vec<String> {
        let target = format!("/demand/accounts/7/projects/{project}/target-groups/{group}?a=%E2%80%8B");
        let problems = path_problems(&Request::to(&operations::GET_TARGET_GROUP, target));
        problems.iter().map(|problem| problem.field().to_owned()).collect()
    }

    #[test]
    fn a_target_is_joined_as_if_the_whole_were_parsed() {
        for base in ["https://api.cint.com/v1", "http://127.0.0.1:8080", "https://proxy.example/a%20b/"] {
            let base = BaseUrl::new(Url::parse(base).unwrap());
            for target in [
                "/demand/accounts/7",
                "/a/%C3%A4%2F?b=c%20d&e",
                "/a?",
                "/a?b?c",
                "/%E2%80%8B",
                "/a/../b",
                "/a/%2e%2E/b//c",
            ] {
                let whole = Url::parse(&format!("{}{target}", base.as_str())).unwrap();
                assert_eq!(base.join(target), whole, "{target}");
            }
        }
    }

    #[test]
    fn an_id_that_cannot_be_seen_is_refused_by_name() {
        assert_eq!(fields("01BTGNYV6HRNK8K8VKZASZCFP0", "01BTGNYV6HRNK8K8VKZASZCFP1"), [""; 0]);
        assert_eq!(fields("p%20q", "%C3%A4"), [""; 0], "odd, but to be seen");
        for odd in ["", "%20", "a%E2%80%8B", "a%0A", "%EF%BB%BFa"] {
            assert_eq!(fields(odd, "1"), ["project_id"], "{odd:?}");
            assert_eq!(fields("1", odd), ["target_group_id"], "{odd:?}");
        }
    }
}
