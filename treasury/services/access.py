"""What a person may do: a role says what, a grant says for which company or account.

Roles are Django groups, filled here and kept in step after every migrate. No shortcut for
superusers anywhere: who may not approve cannot, whatever else they may do.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from treasury.models import Account, Company

ROLES: dict[str, tuple[str, ...]] = {
    gettext_noop("clerk"): (
        "payments.prepare_payment",
        "payments.propose_beneficiary",
        "banks.import_statement",
        "reconciliation.import_journal",
    ),
    gettext_noop("manager"): (
        "payments.approve_payment",
        "payments.confirm_beneficiary",
        "treasury.confirm_change",
    ),
    gettext_noop("treasurer"): (
        "payments.prepare_payment",
        "payments.propose_beneficiary",
        "payments.approve_payment",
        "payments.confirm_beneficiary",
        "payments.manage_sweeps",
        "payments.resolve_payment",
        "treasury.plan_cash",
        "treasury.confirm_change",
        "treasury.view_auditevent",
    ),
    gettext_noop("reconciler"): (
        "banks.import_statement",
        "reconciliation.import_journal",
        "reconciliation.reconcile",
        "reconciliation.close_account",
        "treasury.view_auditevent",
    ),
    gettext_noop("admin"): (
        "banks.configure_connection",
        "banks.view_exchange",
        "payments.configure_rules",
        "treasury.confirm_change",
        "treasury.manage_access",
        "treasury.view_auditevent",
    ),
}


class AccessDeniedError(PermissionError):
    """A person tried what their role does not hold. The text names person, act and next step."""

    code = "treasury.not_allowed"


def may(user: Any, permission: str) -> bool:
    """Whether a role of `user`, or a permission given to them by name, holds `permission`."""
    if not getattr(user, "is_active", False):
        return False
    held = getattr(user, "_zhilian_permissions", None)
    if held is None:
        rows = Permission.objects.filter(group__user=user).union(Permission.objects.filter(user=user))
        held = {f"{app}.{name}" for app, name in rows.values_list("content_type__app_label", "codename")}
        user._zhilian_permissions = held
    return permission in held


def require(user: Any, permission: str) -> None:
    """Raises AccessDeniedError unless `user` may."""
    if not may(user, permission):
        raise AccessDeniedError(
            _(
                "%(person)s may not do this. It takes the role %(roles)s (permission %(permission)s)."
                " Ask an administrator for it."
            )
            % {"person": user, "roles": roles_with(permission), "permission": permission}
        )


def roles_with(permission: str) -> str:
    """The roles that hold `permission`, as a reader of this language calls them."""
    names = [gettext(role) for role, held in ROLES.items() if permission in held]
    return gettext(" or ").join(names) or "—"


def require_account(user: Any, account: Account) -> None:
    """Raises AccessDeniedError unless `account` was granted to `user`."""
    if not Account.objects.visible_to(user).filter(pk=account.pk).exists():
        raise AccessDeniedError(
            _("%(person)s has no access to account %(account)s.") % {"person": user, "account": account}
        )


def require_company(user: Any, company: Company) -> None:
    """Raises AccessDeniedError unless `company` as a whole was granted to `user`."""
    from treasury.querysets import granted

    if not granted(user, "treasury.view_company", Company).filter(pk=company.pk).exists():
        raise AccessDeniedError(
            _("%(person)s has no access to company %(company)s.") % {"person": user, "company": company}
        )


def fill_roles(**_signal: Any) -> None:
    """Give every role exactly the permissions listed above (runs after migrate; idempotent)."""
    for role, permissions in ROLES.items():
        group, _made = Group.objects.get_or_create(name=role)
        wanted = [
            Permission.objects.filter(content_type__app_label=app, codename=name).first()
            for app, name in (p.split(".") for p in permissions)
        ]
        group.permissions.set([p for p in wanted if p is not None])
