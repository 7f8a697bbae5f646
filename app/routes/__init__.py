"""Routes: each states its policy, reads what was sent, calls one use case, and answers with a page or a redirect."""

from app.routes import (
    accounts,
    clips,
    deposits,
    families,
    family,
    family_access,
    footage,
    plain,
    sign_in,
    watching,
)

ROUTERS = tuple(
    module.router
    for module in (
        plain,
        sign_in,
        accounts,
        families,
        deposits,
        footage,
        clips,
        watching,
        family_access,
        family,
    )
)
"""Every router of the application; a test walks them."""
