"""What every API endpoint shares: token sign-in, paging, and errors as {code, message, hint}."""
