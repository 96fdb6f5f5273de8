"""Who does the work: a dispatcher finds shards, runners carry them, sender processes encrypt and send."""
