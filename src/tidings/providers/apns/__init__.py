"""APNs: Apple's push service for apps, by provider token or by certificate."""
