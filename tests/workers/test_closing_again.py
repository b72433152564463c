"""Who closes their account in an app, once more by way of a worker: Synapse's main process alone decides, and once."""

from tests.synapse.test_closing import *  # noqa: F403
