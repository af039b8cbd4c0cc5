"""Keys of code hosting, package registries, builds, tests and quality tools."""

from gptgate.detectors.forms import NOT_BASE64, UUID, detector, token
from gptgate.detectors.randomness import is_random

DETECTOR = detector(
    "code_secrets",
    1,
    (
        token("atlassian", "An Atlassian API token.", "AT[AC]TT3xFfG[FN]0[A-Za-z0-9_=-]{100,230}", end=NOT_BASE64),
        token("bitbucket", "A Bitbucket app password.", "ATBB[A-Za-z0-9]{32}"),
        token("pypi", "A PyPI token.", "pypi-AgE[A-Za-z0-9_-]{50,400}"),
        token("rubygems", "A RubyGems API key.", "rubygems_[a-f0-9]{48}"),
        token("clojars", "A Clojars token.", "CLOJARS_[a-z0-9]{60}"),
        token("nuget", "A NuGet API key.", "oy2[a-z0-9]{43}"),
        token("docker_hub", "A Docker Hub token.", "dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,40}"),
        token("crates_io", "A crates.io token.", "cio[A-Za-z0-9]{32}", accept=is_random),
        token("jfrog", "A JFrog key or reference token.", "AKCp[A-Za-z0-9]{69,73}", "cmVmd[A-Za-z0-9]{59}"),
        token("sonar", "A SonarQube or SonarCloud token.", "sq[pua]_[A-Za-z0-9]{40}"),
        token("circleci", "A CircleCI token.", "CCI(?:PAT|PRJ)_[A-Za-z0-9]{20,24}_[a-f0-9]{40}"),
        token("buildkite", "A Buildkite token.", "bk(?:ua|pi|at|ct)_[A-Za-z0-9]{32,48}"),
        token("sentry", "A Sentry token.", "sntryu_[a-f0-9]{64}", "sntrys_eyJ[A-Za-z0-9+/=_-]{60,440}", end=NOT_BASE64),
        token(
            "sourcegraph",
            "A Sourcegraph token.",
            "sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}",
            "(?:slk|sgd)_[a-f0-9]{64}",
        ),
        token("octopus_deploy", "An Octopus Deploy API key.", "API-[A-Z0-9]{26}", accept=is_random),
        token("snyk", "A Snyk token.", r"snyk_(?:uat|sat)\.[a-z0-9]{8}\.[A-Za-z0-9_.-]{20,200}"),
        token("postman", "A Postman API key.", "PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
        token("readme_io", "A ReadMe API key.", "rdme_[a-z0-9]{70}"),
        token("prefect", "A Prefect API key.", "pn[ub]_[A-Za-z0-9]{36}"),
        token("infracost", "An Infracost API key.", "ico-[A-Za-z0-9]{32,44}", accept=is_random),
        token("linear", "A Linear key or token.", "lin_(?:api|oauth|wh)_[A-Za-z0-9]{32,64}"),
        token("harness", "A Harness token.", r"[ps]at\.[A-Za-z0-9_-]{22}\.[a-f0-9]{24}\.[A-Za-z0-9]{20}"),
        token("launchdarkly", "A LaunchDarkly key.", f"(?:sdk|api)-{UUID}"),
        token("packagist", "A Packagist token.", "packagist_(?:uut|out|ut|ack|acs)_[a-f0-9]{56,84}"),
        token("deno", "A Deno Deploy token.", "dd[pwo]_[A-Za-z0-9]{36,40}"),
        token("chromatic", "A Chromatic project token.", "chpt_[a-f0-9]{12,16}"),
        token("socket", "A Socket API key.", "sktsec_[A-Za-z0-9_-]{40,80}"),
        token("statsig", "A Statsig server secret.", "secret-[A-Za-z0-9]{40,50}", accept=is_random),
        token("buf", "A Buf registry token.", "bufrt_[a-f0-9]{64}"),
        token("dagger", "A Dagger Cloud token.", "dag_[a-z0-9-]{2,39}_[A-Za-z0-9]{32,48}", accept=is_random),
    ),
)
