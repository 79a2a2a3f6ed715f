"""What a layer is, in one place: one file a family, one class a layer."""
