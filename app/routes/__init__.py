"""Routes: each states its policy, reads what was sent, calls one use case, and answers with a page or a redirect."""

from app.routes import accounts, deposits, plain, sign_in

ROUTERS = tuple(module.router for module in (plain, sign_in, accounts, deposits))
"""Every router of the application; a test walks them."""
