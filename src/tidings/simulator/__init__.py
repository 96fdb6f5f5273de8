"""The push services of the world on this machine, for development, tests, measurements and the demo."""
