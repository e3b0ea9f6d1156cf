"""What has to outlive a run: its folder, its journal, the lock."""
