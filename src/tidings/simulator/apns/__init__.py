"""Apple's push service for apps: tokens by environment, keys and certificates, and every reason it can give."""
