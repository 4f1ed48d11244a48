"""The version of the project. It is stated here only."""

VERSION = "0.2.0"
