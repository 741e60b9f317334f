"""Gives schemathesis IDs that exist in the gateway under test, and a check of problem answers."""

import os

import schemathesis


@schemathesis.hook
def before_load_schema(context, raw_schema):
    parameters = raw_schema["components"]["parameters"]
    parameters["traceId"]["examples"] = {"kept": {"value": os.environ["KEPT_TRACE"]}}
    parameters["objective"]["examples"] = {"shipped": {"value": "availability"}}


# The statuses of the contract's "default" answers.
PROBLEMS = {400, 403, 404, 405, 409, 422, 429, 503}


@schemathesis.check
def problem_conformance(ctx, response, case):
    """The body of a problem has the answer's status, and a sentence as its detail."""
    if response.status_code == 200 or case.path in ("/healthz", "/readyz"):
        return
    assert response.status_code in PROBLEMS, f"{response.status_code} is none of {sorted(PROBLEMS)}"
    body = response.json()
    assert body["status"] == response.status_code, body
    assert body["detail"].endswith("."), body
