"""What browsers of subscribers call: plain routes, msgspec bodies, CORS for the App's origins, no cookies."""
