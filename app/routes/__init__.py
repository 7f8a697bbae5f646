"""Routes: each states its policy, reads what was sent, calls one use case, and answers with a page or a redirect."""

from app.routes import (
    accounts,
    audit_log,
    blurring,
    certificates,
    clips,
    deposits,
    disposals,
    families,
    family,
    family_access,
    family_staff,
    films,
    footage,
    holds,
    own_account,
    plain,
    records,
    sign_in,
    watching,
)

ROUTERS = tuple(
    module.router
    for module in (
        plain,
        sign_in,
        own_account,
        accounts,
        families,
        family_staff,
        deposits,
        films,
        footage,
        clips,
        blurring,
        watching,
        family_access,
        family,
        records,
        audit_log,
        disposals,
        certificates,
        holds,
    )
)
"""Every router of the application; a test walks them."""
