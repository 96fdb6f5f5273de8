"""What can go wrong where people and keys come in.

401 says that nobody is signed in: whoever is, and mistypes a code, gets another status and stays where they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from tidings.domain.errors.codes import ErrorCode, ErrorEntry

ACCOUNTS: Mapping[ErrorCode, ErrorEntry] = {
    ErrorCode.ACCOUNT_CONFLICT: ErrorEntry(
        409, "Your account, as it is, does not allow this", "Do what `detail` says, then try again."
    ),
    ErrorCode.CONFIRMATION_WRONG: ErrorEntry(
        403, "This did not show that it is you", "Try again, or confirm in another way; you stay signed in."
    ),
    ErrorCode.EMAIL_TAKEN: ErrorEntry(
        409, "Somebody has this e-mail address already", "Use another address, or sign in with this one."
    ),
    ErrorCode.FACTOR_INVALID: ErrorEntry(
        422,
        "The code or passkey was not accepted",
        "Do what `detail` says; else use the code that the app shows now, or let the browser make the passkey again.",
    ),
    ErrorCode.FORBIDDEN: ErrorEntry(
        403,
        "You may not do that",
        "Ask for a role that has the permission in `detail`, or use a key with a scope that has it.",
    ),
    ErrorCode.INVITATION_INVALID: ErrorEntry(
        403, "The invitation is used up, withdrawn or has expired", "Ask whoever invited you for a new one."
    ),
    ErrorCode.KEY_EXPIRED: ErrorEntry(
        401,
        "The API key has expired",
        "Make a new one in Settings, API keys, or with `tidings key create --name NAME`.",
    ),
    ErrorCode.LAST_OWNER: ErrorEntry(409, "The App would have no owner", "Make somebody else an owner first."),
    ErrorCode.LAST_SUPER_ADMIN: ErrorEntry(
        409, "The instance would have no super admin", "Make somebody else a super admin first."
    ),
    ErrorCode.LOCKED_OUT: ErrorEntry(
        429, "Too many failed attempts", "Wait as long as `Retry-After` says, or sign in with a passkey."
    ),
    ErrorCode.OIDC_FAILED: ErrorEntry(
        502,
        "The provider did not do what it should",
        "Try again; if it stays, `detail` says what an administrator has to mend.",
    ),
    ErrorCode.PASSKEY_REFUSED: ErrorEntry(
        401, "The passkey was not accepted", "Do what `detail` says; else try again, or sign in another way."
    ),
    ErrorCode.PASSWORD_TOO_WEAK: ErrorEntry(
        422,
        "The password is too easy to guess",
        "Use 10 characters or more that are no common password and not your e-mail address.",
    ),
    ErrorCode.REAUTHENTICATION_REQUIRED: ErrorEntry(
        403,
        "This needs you to show again who you are",
        "Confirm with your password, code or passkey at POST /session/confirm, or with your provider at POST "
        "/session/oidc/{provider}/confirm; then repeat the request.",
    ),
    ErrorCode.RESET_LINK_INVALID: ErrorEntry(
        403,
        "The reset link is used up or has expired",
        "Ask an administrator for a new one, or run `tidings member reset EMAIL`.",
    ),
    ErrorCode.SECOND_FACTOR_WRONG: ErrorEntry(
        401,
        "The code was not accepted",
        "Do what `detail` says; else use the code that the app shows now, or one of your recovery codes.",
    ),
    ErrorCode.SETUP_LINK_INVALID: ErrorEntry(
        403,
        "The set-up link is used up or has expired",
        "Start `tidings up` again: it prints a new one while nobody is here. Else `tidings member reset EMAIL` lets in "
        "whoever has an account.",
    ),
    ErrorCode.SIGN_IN_REFUSED: ErrorEntry(
        401,
        "E-mail address or password is wrong",
        "Try again; whoever forgot the password asks an administrator for a reset link, or runs "
        "`tidings member reset EMAIL` on the server.",
    ),
    ErrorCode.UNAUTHORIZED: ErrorEntry(
        401,
        "Nobody is signed in, and there is no valid API key",
        "Sign in, or send `Authorization: Bearer <key>`; make one with `tidings key create --name NAME`.",
    ),
}
