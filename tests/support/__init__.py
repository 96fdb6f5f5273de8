"""What tests share: peers nobody here wrote, browsers, a desktop, and instances of Tidings to test against."""
