"""What skgan costs over bare torch, over its imports, and in memory."""
