"""Gives schemathesis what the gateway under test knows, so that not all it asks for is unknown, and what it cannot know of the answers."""

import os

import schemathesis


@schemathesis.hook
def before_load_schema(context, raw_schema):
    parameters = raw_schema["components"]["parameters"]
    parameters["traceId"]["examples"] = {"kept": {"value": os.environ["KEPT_TRACE"]}}
    parameters["objective"]["examples"] = {"shipped": {"value": "availability"}}


# What the contract calls "default" are these, and no others.
PROBLEMS = {400, 403, 404, 405, 409, 422, 429, 503}


@schemathesis.check
def problem_conformance(ctx, response, case):
    """A problem has a status that it names itself, and a sentence that says what to do."""
    if response.status_code == 200 or case.path in ("/healthz", "/readyz"):
        return
    assert response.status_code in PROBLEMS, f"{response.status_code} is none of {sorted(PROBLEMS)}"
    body = response.json()
    assert body["status"] == response.status_code, body
    assert body["detail"].endswith("."), body
