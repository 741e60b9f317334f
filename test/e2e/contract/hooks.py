"""Gives schemathesis what the gateway under test knows, so that not all it asks for is unknown."""

import os

import schemathesis


@schemathesis.hook
def before_load_schema(context, raw_schema):
    parameters = raw_schema["components"]["parameters"]
    parameters["traceId"]["examples"] = {"kept": {"value": os.environ["KEPT_TRACE"]}}
    parameters["objective"]["examples"] = {"shipped": {"value": "availability"}}
