"""Pseudonyms: the same value has the same one within a tenant, and nothing in common across tenants."""

import hashlib
import hmac

from snakepit_bridge import command

# Whoever knows it can try values out; a service would be given one by its secrets.
_SECRET = b"the demo has no secrets"


@command
def pseudonymize(values: list, ctx):
    """A pseudonym of each value, keyed by the tenant of the request."""
    tenant = ctx.context.get("tenant", "public")
    with ctx.span("hmac", tenant=tenant, values=len(values)):
        key = hashlib.sha256(_SECRET + b":" + tenant.encode()).digest()
        pseudonyms = [hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:16] for value in values]
    correlation_id = ctx.context.get("correlationId")
    ctx.log.warning("pseudonymized", tenant=tenant, correlation_id=correlation_id, values=len(values))
    return {"tenant": tenant, "correlation_id": correlation_id, "pseudonyms": pseudonyms}
